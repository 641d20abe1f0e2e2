"""The parts of `up` by themselves, on processes that do next to nothing."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from django.db import OperationalError
from redis.exceptions import RedisError

from frameinterp_site.address import Address, AddressError
from frameinterp_site.clusterwatch import ClusterWatch, last_word
from frameinterp_site.lock import FolderLock, LockedError
from frameinterp_site.logs import SharedFileHandler
from frameinterp_site.supervisor import Child, Supervisor, marked, trim

from .portal import REPOSITORY, wait_for

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('on', flush=True); time.sleep(600)",
]
RUNAWAY = [
    sys.executable,
    "-c",
    "import subprocess, sys, time\n"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
    "print('on', flush=True)\n"
    "time.sleep(600)",
]


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor([])
    yield supervisor
    supervisor.kill()


def child(tmp_path: Path, argv: list[str], name: str = "child") -> Child:
    return Child(name, argv, tmp_path / f"{name}.log")


def run(supervisor: Supervisor, *children: Child) -> None:
    supervisor.children = list(children)
    supervisor.start()


def test_a_dead_child_is_started_at_once_and_then_ever_more_slowly(supervisor: Supervisor, tmp_path: Path) -> None:
    one = child(tmp_path, [sys.executable, "-c", "raise SystemExit(3)"])
    run(supervisor, one)
    waits = []
    for _ in range(5):
        assert wait_for(lambda: not one.running, 10)
        supervisor.look()
        waits.append(max(0, round(one.start_at - time.monotonic())))
        one.start_at = time.monotonic()
        supervisor.look()
    assert waits == [0, 1, 2, 4, 8]


def test_a_child_that_cannot_be_started_is_tried_again_later(
    supervisor: Supervisor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = child(tmp_path, [sys.executable, "-c", ""])
    run(supervisor, one)
    assert wait_for(lambda: not one.running, 10)
    one.argv = [str(tmp_path / "nowhere")]
    supervisor.look()
    supervisor.look()
    assert "child cannot be started: [Errno 2]" in caplog.text
    assert one.start_at > time.monotonic() + 50


def test_a_child_that_hangs_is_killed_and_started_again(supervisor: Supervisor, tmp_path: Path) -> None:
    one = child(tmp_path, SLEEP)
    run(supervisor, one)
    first = one.process
    one.hangs = lambda child: "it hangs" if child.process is first else ""
    assert wait_for(lambda: supervisor.look() or one.process is not first, 10)
    assert first and first.returncode == -signal.SIGKILL and one.running


def test_a_child_that_ignores_sigterm_is_killed(supervisor: Supervisor, tmp_path: Path) -> None:
    one = child(tmp_path, STUBBORN)
    run(supervisor, one)
    assert wait_for(lambda: one.last_lines() == "on", 10)
    supervisor.stop(seconds=0.3)
    assert one.process and one.process.returncode == -signal.SIGKILL


def test_a_process_that_left_its_group_is_found_by_its_mark(supervisor: Supervisor, tmp_path: Path) -> None:
    one = child(tmp_path, RUNAWAY)
    run(supervisor, one)
    assert wait_for(lambda: one.last_lines() == "on", 10)
    runaway = [process for process in marked(supervisor.mark) if one.process and process.pid != one.process.pid]
    assert len(runaway) == 1
    supervisor.stop(seconds=0.3)
    assert not runaway[0].is_running() or runaway[0].status() == psutil.STATUS_ZOMBIE


def test_a_task_outside_the_group_of_its_worker_is_asked_to_end_before_it_is_killed(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    note = tmp_path / "note.txt"
    task = (
        "import signal, sys, time; from pathlib import Path\n"
        f"def end(*_): Path({str(note)!r}).write_text('asked'); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); print('on', flush=True); time.sleep(600)"
    )
    worker = (
        "import signal, subprocess, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: None)  # as a worker does, it waits for its task\n"
        f"subprocess.run([sys.executable, '-c', {task!r}], start_new_session=True)"
    )
    one = child(tmp_path, [sys.executable, "-c", worker])
    run(supervisor, one)
    assert wait_for(lambda: one.last_lines() == "on", 10)
    supervisor.stop(seconds=10)
    assert note.read_text() == "asked"
    assert one.process and one.process.returncode == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PR_SET_PDEATHSIG is Linux's")
def test_a_child_dies_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from frameinterp_site.supervisor import Child, Supervisor\n"
        f"one = Child('one', {SLEEP!r}, Path({str(tmp_path / 'one.log')!r})); Supervisor([one]).start()\n"
        "print(one.process.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    assert psutil.pid_exists(pid)
    parent.kill()
    parent.wait()
    assert wait_for(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, 5)


def test_a_cluster_that_lost_an_idle_worker_is_restarted_after_two_looks(tmp_path: Path) -> None:
    one = Child("one", [], tmp_path / "log")
    one.process = subprocess.Popen(SLEEP)
    try:
        watch = ClusterWatch("nobody")
        looks = iter([({1, 2}, False), ({1, 2}, False), ({1, 3}, True), ({1, 3}, False), ({1, 3}, False)])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("frameinterp_site.clusterwatch.family", lambda pid: next(looks))
            patch.setattr("frameinterp_site.clusterwatch.LOOK_EVERY", 0.0)
            said = [watch(one) for _ in range(5)]
        assert said == ["", "", "", "", "one of its processes died and may have taken the lock of the queue with it"]
    finally:
        one.process.kill()
        one.process.wait()


def test_a_cluster_is_silent_only_when_its_last_word_is_old_at_two_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    words = iter([now, now - 100, now, now - 100, None, now - 100, now - 100])
    monkeypatch.setattr("frameinterp_site.clusterwatch.last_word", lambda queue: next(words))
    one = Child("one", [], tmp_path / "log", started=time.monotonic() - 1000)
    watch = ClusterWatch("nobody")
    assert [watch._silent(one)[:23] for _ in range(7)] == ["", "", "", "", "", "", "it has said nothing for"]


@pytest.mark.parametrize("error", [OperationalError("gone"), RedisError("gone"), OSError("gone")])
def test_a_cache_that_does_not_answer_is_no_word_and_no_end_of_up(
    error: Exception, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get(key: str) -> None:
        raise error

    monkeypatch.setattr("frameinterp_site.clusterwatch.cache", SimpleNamespace(get=get))
    assert last_word("interpolation") is None


def test_a_log_beyond_its_size_is_moved_aside_and_the_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 2000)
        trim(log, size=1000)
        writer.write(b"after\n")
    assert log.read_bytes() == b"after\n"
    assert (tmp_path / "web.log.1").stat().st_size == 2000


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full, a disk that is always full")
def test_a_log_on_a_full_disk_loses_lines_but_stops_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "up.log").symlink_to("/dev/full")
    handler = SharedFileHandler(tmp_path / "up.log", delay=True)
    for _ in range(3):  # the second time it finds the file changed and flushes what it could not write before
        handler.handle(logging.makeLogRecord({"msg": "a child ended"}))
    assert capsys.readouterr().err.count("No space left on device") >= 3
    (tmp_path / "up.log").unlink()
    handler.stream = handler._open()
    handler.handle(logging.makeLogRecord({"msg": "room again"}))
    assert "room again" in (tmp_path / "up.log").read_text()


def test_a_folder_has_one_portal_at_a_time(tmp_path: Path) -> None:
    twin = FolderLock(tmp_path / "up.lock", "other")
    with (
        FolderLock(tmp_path / "up.lock", "http://127.0.0.1:8000/"),
        pytest.raises(LockedError, match=f"http://127.0.0.1:8000/ \\(process {os.getpid()}\\)"),
    ):
        twin.__enter__()
    with FolderLock(tmp_path / "up.lock", "http://127.0.0.1:8001/"):
        pass


@pytest.mark.parametrize(
    ("host", "bind", "url"),
    [
        ("127.0.0.1", "127.0.0.1:8000", "http://127.0.0.1:8000/"),
        ("0.0.0.0", "0.0.0.0:8000", "http://127.0.0.1:8000/"),
        ("::", "[::]:8000", "http://[::1]:8000/"),
    ],
)
def test_an_address_says_where_to_bind_and_where_to_go(host: str, bind: str, url: str) -> None:
    address = Address.parse(host, "8000")
    assert (address.bind, address.url) == (bind, url)


def test_a_host_that_is_not_ours_is_refused_in_words() -> None:
    with pytest.raises(AddressError, match=r'HOST="192\.0\.2\.1" is not an address of this machine'):
        Address.parse("192.0.2.1", "8000").check_free()
