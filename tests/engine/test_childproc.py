"""Children die with us, stop when asked, and stay within their limits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from engine.childproc import run_child

PYTHON = sys.executable
REPOSITORY = Path(__file__).resolve().parents[2]


def python(code: str) -> list[str]:
    return [PYTHON, "-c", code]


def gone(pid: int, seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_the_exit_code_is_the_childs_own() -> None:
    result = run_child(python("raise SystemExit(7)"))
    assert (result.returncode, result.ended, result.killed) == (7, "exit", False)


def test_a_killed_child_is_noticed_at_once(tmp_path: Path) -> None:
    note = tmp_path / "killed at"
    code = (
        f"import os, pathlib, signal, time\npathlib.Path({str(note)!r}).write_text(str(time.monotonic()))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    result = run_child(python(code), interval=60)
    assert (result.returncode, result.ended, result.killed) == (-signal.SIGKILL, "exit", True)
    assert time.monotonic() - float(note.read_text()) < 10, "not only at the next look"


def on_sigterm(what: str, ready: Path) -> list[str]:
    """A child that does `what` when it is asked to end, and makes the file `ready` once it would."""
    return python(
        f"import pathlib, signal, time\nsignal.signal(signal.SIGTERM, {what})\n"
        f"pathlib.Path({str(ready)!r}).touch()\ntime.sleep(60)"
    )


def test_stop_sends_sigterm_and_the_child_may_finish_in_its_own_way(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    result = run_child(on_sigterm("lambda *a: exit(5)", ready), should_stop=ready.exists, interval=0.1)
    assert (result.returncode, result.ended) == (5, "stopped")


def test_a_child_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    result = run_child(on_sigterm("signal.SIG_IGN", ready), should_stop=ready.exists, interval=0.1, grace=0.3)
    assert (result.returncode, result.ended) == (-signal.SIGKILL, "stopped")
    assert result.seconds < 50, "not only when it would have ended by itself"


def test_a_child_above_its_memory_is_killed_and_says_so() -> None:
    code = (
        "import time\nblock = bytearray(200 * 1024 * 1024)\nblock[::4096] = b'x' * len(block[::4096])\ntime.sleep(60)"
    )
    result = run_child(python(code), memory_limit=100 * 1024 * 1024, interval=0.1)
    assert (result.returncode, result.ended) == (-signal.SIGKILL, "memory")
    assert result.peak_rss > 100 * 1024 * 1024


def test_a_child_over_its_time_is_stopped() -> None:
    result = run_child(python("import time; time.sleep(60)"), time_limit=0.5, interval=0.1)
    assert (result.returncode, result.ended) == (-signal.SIGTERM, "time")


def test_grandchildren_go_with_the_child(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = (
        "import subprocess, sys, pathlib, time\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(note)!r}).write_text(str(p.pid))"
    )
    run_child(python(code))
    assert gone(int(note.read_text()))


def test_an_error_in_the_watcher_takes_the_child_along(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = f"import os, pathlib, time\npathlib.Path({str(note)!r}).write_text(str(os.getpid()))\ntime.sleep(60)"

    def tick() -> None:
        if note.exists() and note.read_text():
            raise RuntimeError("the watcher broke")

    with pytest.raises(RuntimeError, match="the watcher broke"):
        run_child(python(code), on_tick=tick, interval=0.05)
    assert gone(int(note.read_text()))


def test_the_child_dies_when_its_parent_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    child = (
        "from engine.childproc import die_with_parent; import os, pathlib, time; die_with_parent();"
        f"pathlib.Path({str(note)!r}).write_text(str(os.getpid())); time.sleep(60)"
    )
    parent = f"import sys; from engine.childproc import run_child; run_child([sys.executable, '-c', {child!r}])"
    with subprocess.Popen(python(parent), cwd=REPOSITORY) as process:
        deadline = time.monotonic() + 60
        while not (note.exists() and note.read_text()):
            assert time.monotonic() < deadline, "the child never started"
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
    assert gone(int(note.read_text()))
