"""Run a command as a child that dies with us, under limits, and watch it while it works.

Long or risky work (a render, a training run, a look into a stranger's file) is done in a process of its own: torch
starts with clean threads, a crash or a hostile file costs that process only, and stopping is always possible.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Literal

import psutil

PARENT = "INBETWEEN_PARENT_PID"
PR_SET_PDEATHSIG = 1

Ended = Literal["exit", "stopped", "memory", "time"]


@dataclass(frozen=True, slots=True)
class ChildResult:
    """How a child ended. `returncode` is negative for a signal: -9 is SIGKILL, the out-of-memory killer's too."""

    returncode: int
    ended: Ended  # "exit": by itself or by somebody else's signal; the others: by us, and why
    peak_rss: int  # bytes, of the child and its own children together
    seconds: float

    @property
    def killed(self) -> bool:
        """Somebody else's signal ended it: worth a second try."""
        return self.ended == "exit" and self.returncode < 0


def die_with_parent() -> None:
    """Call first thing in a child of `run_child`: the kernel kills this process when the parent is gone.

    The parent may have died before this call; then we end here.
    """
    parent = os.environ.get(PARENT)
    if not parent:
        return
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent):
        raise SystemExit("The process that started this one is gone.")


def run_child(
    argv: Sequence[str],
    *,
    on_tick: Callable[[], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    memory_limit: int = 0,
    time_limit: float | Callable[[], float] = 0.0,
    interval: float = 0.25,
    grace: float = 10.0,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    output: int | IO[bytes] | None = None,
) -> ChildResult:
    """Run `argv` to its end and say how it ended. Whatever is raised in here, the child does not outlive the call.

    Args:
        on_tick: called every `interval` seconds while the child lives (heartbeat).
        should_stop: asked at every tick; true sends SIGTERM, and SIGKILL after `grace` seconds.
        memory_limit: bytes of resident memory, the child's own children included; 0 is no limit. Above it: SIGKILL.
        time_limit: seconds, or a function asked for them at every tick; 0 is no limit. After it: like `should_stop`.
        output: where stdout and stderr go, as in subprocess; None: to ours.
    """
    process = subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        env={**os.environ, **(env or {}), PARENT: str(os.getpid())},
        cwd=cwd,
        start_new_session=True,  # a group of its own: killed as a whole, untouched by our terminal's Ctrl-C
    )
    try:
        return watch(
            process,
            partial(exit_code, process),
            on_tick=on_tick,
            should_stop=should_stop,
            memory_limit=memory_limit,
            time_limit=time_limit,
            interval=interval,
            grace=grace,
        )
    finally:
        kill_group(process)


def watch(
    process: subprocess.Popen[bytes],
    over: Callable[[float], int | None],
    *,
    on_tick: Callable[[], None] | None,
    should_stop: Callable[[], bool] | None,
    memory_limit: int,
    time_limit: float | Callable[[], float],
    interval: float,
    grace: float,
) -> ChildResult:
    """Looks after a working child as `run_child` says, until `over(seconds)`, which waits so long at most, gives the
    code its work ended with."""
    started, ended, peak, kill_at = time.monotonic(), "exit", 0, 0.0
    while (code := over(interval)) is None:
        now, rss = time.monotonic(), resident(process.pid)
        peak = max(peak, rss)
        if on_tick:
            on_tick()
        limit = time_limit() if callable(time_limit) else time_limit
        if memory_limit and rss > memory_limit:
            ended = "memory"
            kill_group(process)
        elif ended == "exit" and should_stop and should_stop():
            ended, kill_at = "stopped", now + grace
            process.terminate()
        elif ended == "exit" and limit and now - started > limit:
            ended, kill_at = "time", now + grace
            process.terminate()
        elif kill_at and now > kill_at:
            kill_group(process)
    return ChildResult(code, ended, peak, time.monotonic() - started)  # type: ignore[arg-type]


def exit_code(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """Waits so long at most; None while it lives."""
    with suppress(subprocess.TimeoutExpired):
        return process.wait(seconds)
    return None


def resident(pid: int) -> int:
    """Resident bytes of a process and all its children; 0 when it is gone."""
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0
    total = 0
    for process in family:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End the child and everything it started. Its group is gone when the last of them is."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
