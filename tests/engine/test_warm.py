"""A warm child takes one request after the other, and what goes wrong with it costs one request only."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from engine.warm import LOST, WarmChild, is_idle
from tests.engine.test_childproc import REPOSITORY, gone

CHILD = """
import gc, os, signal, sys, threading, time
import engine.warm
from engine.childproc import die_with_parent
from engine.warm import serve

def work(request, should_stop):
    global block
    print("said", request["what"], flush=True)
    if request["what"] == "wait":
        while not should_stop():
            time.sleep(0.02)
    if request["what"] == "hang":
        time.sleep(60)
    if request["what"] == "raise":
        raise RuntimeError("broke")
    if request["what"] == "grow":
        block = bytearray(300 << 20)
        block[::4096] = b"x" * len(block[::4096])
    if request["what"] == "collected":
        return 0 if gc.get_freeze_count() > 1000 else 1
    if request["what"] == "free":
        block = None
    if request["what"] == "signal another thread":
        engine.warm.TRIM_AFTER = 600
        threading.Timer(0.5, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM)).start()
    return int(request.get("code", 0))

die_with_parent()
serve(work)
"""
GIB = 1 << 30
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names of processes are told on Linux only")


def wait_for(truth: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not truth():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def child(tmp_path: Path) -> Iterator[WarmChild]:
    with (tmp_path / "own.log").open("ab") as words:
        made = WarmChild([sys.executable, "-c", CHILD], cwd=REPOSITORY, output=words)
    yield made
    made.close()
    assert gone(made.pid)


def test_one_child_does_one_request_after_the_other_and_says_how_each_ended(child: WarmChild) -> None:
    codes = [child.serve({"what": "add", "code": code}).returncode for code in ("0", "3", "0")]
    assert codes == [0, 3, 0]
    assert (child.alive, child.taken, child.served) == (True, True, 2)


def test_what_is_loaded_is_not_looked_through_for_garbage(child: WarmChild) -> None:
    assert child.serve({"what": "collected"}).returncode == 0


def test_the_words_of_a_request_go_to_its_own_log(child: WarmChild, tmp_path: Path) -> None:
    for name in ("one", "two"):
        child.serve({"what": name, "log": str(tmp_path / f"{name}.log")})
    child.serve({"what": "nowhere"})
    assert [(tmp_path / f"{name}.log").read_text() for name in ("one", "two")] == ["said one\n", "said two\n"]
    assert (tmp_path / "own.log").read_text() == "said nowhere\n"


def test_a_request_that_is_asked_to_stop_ends_in_its_own_way_and_the_child_with_it(child: WarmChild) -> None:
    result = child.serve({"what": "wait", "code": "0"}, should_stop=lambda: child.taken, interval=0.05)
    assert (result.ended, result.returncode) == ("stopped", 0)
    assert not child.fit_to_stay(result, GIB, 9)
    wait_for(lambda: not child.alive)


def test_a_child_that_hangs_is_killed_after_the_grace(child: WarmChild) -> None:
    result = child.serve({"what": "hang"}, should_stop=lambda: child.taken, interval=0.05, grace=0.2)
    assert (result.ended, result.returncode) == ("stopped", -signal.SIGKILL)


def test_a_child_killed_at_its_work_is_noticed_at_once(child: WarmChild) -> None:
    def kill() -> None:
        if child.taken:
            os.kill(child.pid, signal.SIGKILL)

    begun = time.monotonic()
    result = child.serve({"what": "hang"}, on_tick=kill, interval=0.05)
    assert (result.killed, result.returncode, child.taken) == (True, -signal.SIGKILL, True)
    assert time.monotonic() - begun < 50, "not only when the work would have been over"


def test_a_child_that_died_before_it_took_the_request_says_so(child: WarmChild) -> None:
    child.serve({"what": "something"})
    os.kill(child.pid, signal.SIGKILL)
    result = child.serve({"what": "lost"})
    assert (child.taken, result.returncode) == (False, -signal.SIGKILL)


def test_what_the_work_raises_ends_the_child_with_a_code(child: WarmChild) -> None:
    result = child.serve({"what": "raise"})
    assert (result.ended, result.returncode, child.taken) == ("exit", 1, True)


def test_a_child_above_its_memory_is_killed(child: WarmChild) -> None:
    result = child.serve({"what": "grow"}, memory_limit=200 << 20, interval=0.02)
    assert result.ended in ("memory", "exit")  # the work may be over before anybody looked
    assert not child.fit_to_stay(result, 200 << 20, 9)


def test_time_that_is_used_up_stops_the_work(child: WarmChild) -> None:
    result = child.serve({"what": "wait"}, time_limit=lambda: 0.3, interval=0.05)
    assert result.ended == "time"


def test_a_child_stays_for_so_many_requests_and_not_after_a_bad_one(child: WarmChild) -> None:
    stays = [child.fit_to_stay(child.serve({"what": "x"}), GIB, 2) for _ in range(2)]
    assert stays == [True, False]
    assert not child.fit_to_stay(child.serve({"what": "x", "code": "1"}), GIB, 99)


@linux
def test_from_outside_one_sees_whether_a_child_waits_or_works(child: WarmChild) -> None:
    seen: list[bool] = []
    wait_for(lambda: is_idle(psutil.Process(child.pid)))
    child.serve(
        {"what": "wait"},
        on_tick=lambda: seen.append(is_idle(psutil.Process(child.pid))),
        should_stop=lambda: len(seen) > 1,
        interval=0.1,
    )
    assert seen[1] is False
    assert is_idle(psutil.Process()) is False


def test_a_waiting_child_ends_when_it_is_asked_to(child: WarmChild) -> None:
    child.serve({"what": "x"})
    os.kill(child.pid, signal.SIGTERM)
    wait_for(lambda: not child.alive)


def test_a_waiting_child_ends_although_the_system_gave_the_signal_to_another_thread(child: WarmChild) -> None:
    child.serve({"what": "signal another thread"})
    wait_for(lambda: not child.alive)
    assert child.serve({"what": "x"}).returncode == LOST, "it ended well, not by a signal"


def test_a_waiting_child_dies_when_its_parent_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = (
        "import pathlib, sys, time\nfrom engine.warm import LOST, WarmChild\n"
        f"child = WarmChild([sys.executable, '-c', {CHILD!r}])\nchild.serve({{'what': 'x'}})\n"
        f"pathlib.Path({str(note)!r}).write_text(str(child.pid))\ntime.sleep(60)"
    )
    parent = psutil.Popen([sys.executable, "-c", code], cwd=REPOSITORY)
    try:
        wait_for(lambda: note.exists() and note.read_text() != "")
    finally:
        parent.kill()
        parent.wait()
    assert gone(int(note.read_text()))


def test_memory_is_given_back_when_nothing_comes_for_a_while(tmp_path: Path) -> None:
    code = CHILD.replace(
        "die_with_parent()\n",
        "engine.warm.TRIM_AFTER = 3\n"
        "engine.warm.give_memory_back = lambda: print('given back', flush=True)\ndie_with_parent()\n",
    )
    with (tmp_path / "log").open("ab") as words:
        child = WarmChild([sys.executable, "-c", code], cwd=REPOSITORY, output=words)
    try:
        child.serve({"what": "one"})
        child.serve({"what": "two"})
        assert "one\nsaid two" in (tmp_path / "log").read_text(), "no pause between two that come at once"
        wait_for(lambda: (tmp_path / "log").read_text().endswith("two\ngiven back\n"))
    finally:
        child.close()


@linux
def test_a_later_request_is_not_told_the_memory_of_an_earlier_one(child: WarmChild) -> None:
    child.serve({"what": "grow"})
    child.serve({"what": "free"})
    status = Path(f"/proc/{child.pid}/status").read_text().splitlines()
    kib = {line.split(":")[0]: int(line.split()[1]) for line in status if line.startswith(("VmHWM", "VmRSS"))}
    assert kib["VmHWM"] < 150 * 1024, "the block of 300 MiB is gone, and forgotten"
    assert kib["VmHWM"] - kib["VmRSS"] < 20 * 1024
