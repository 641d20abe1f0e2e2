"""Keeps the processes of the portal running, each in a session of its own, and leaves none behind.

Three nets, each for what the one before cannot hold:
1. stopping: SIGTERM, then SIGKILL for the process group of every child;
2. our own sudden death: the kernel kills a child when its parent is gone (PR_SET_PDEATHSIG, Linux);
3. whatever left its group: everything that carries our mark in its environment.
"""

from __future__ import annotations

import ctypes
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil

logger = logging.getLogger("inbetween.up")

MARK = "INBETWEEN_UP"
STOP_SECONDS = 20.0  # from SIGTERM to SIGKILL
TASK_DELAY = 1.0  # from the SIGTERM of a worker to that of the task it works on
STEADY_SECONDS = 60.0  # a child that lived this long starts again at once, however often it died before
MAX_BACKOFF = 60.0
LOG_BYTES = 20 * 1024 * 1024
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None) if sys.platform.startswith("linux") else None


def die_with_parent(parent: int) -> None:
    """For a process just forked: ask the kernel for SIGKILL when `parent` ends (Linux; elsewhere nothing happens)."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended before the kernel was asked
            os._exit(1)


@dataclass
class Child:
    """One process of the portal, started again when it dies. `pid` is its process group as well."""

    name: str
    argv: list[str]
    log: Path
    env: dict[str, str] = field(default_factory=dict)
    hangs: Callable[[Child], str] = lambda child: ""  # why it has to be restarted although it runs; "" when it is well
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    restarts: int = 0
    start_at: float = 0.0

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self, mark: str) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.env, MARK: mark},
                start_new_session=True,  # the terminal's Ctrl-C is ours to pass on
                preexec_fn=partial(die_with_parent, os.getpid()),
            )
        self.started = time.monotonic()

    def terminate(self) -> None:
        if self.running and self.process:
            self.process.terminate()

    def kill_group(self) -> None:
        """End the process and everything that stayed in its group, alive or orphaned."""
        if self.process:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def last_lines(self, count: int = 15) -> str:
        with suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])
        return ""


class Supervisor:
    """Starts `children`, restarts those that die or hang, stops them all."""

    def __init__(self, children: Iterable[Child]) -> None:
        self.children = list(children)
        self.mark = secrets.token_hex(8)

    def start(self) -> None:
        for child in self.children:
            trim(child.log)
            child.start(self.mark)

    def look(self) -> None:
        """One round: to be called about twice a second."""
        for child in self.children:
            if child.running:
                self._look_after(child)
            elif child.start_at == 0.0:
                self._plan_restart(child)
            elif time.monotonic() >= child.start_at:
                self._restart(child)

    def _look_after(self, child: Child) -> None:
        why = child.hangs(child)
        if why:
            logger.warning("%s: %s; restarting it.", child.name, why)
            child.kill_group()

    def _plan_restart(self, child: Child) -> None:
        """Wait 0, 1, 2, 4 ... 60 seconds, so that a child that cannot start does not fill the disk with its log."""
        assert child.process is not None
        child.kill_group()
        if time.monotonic() - child.started > STEADY_SECONDS:
            child.restarts = 0
        wait = min(MAX_BACKOFF, 2.0 ** (child.restarts - 1)) if child.restarts else 0.0
        child.restarts += 1
        child.start_at = time.monotonic() + wait
        trim(child.log)
        logger.warning(
            "%s ended (exit %d); starting it again in %.0f s. See %s.",
            child.name,
            child.process.returncode,
            wait,
            child.log,
        )

    def _restart(self, child: Child) -> None:
        child.start_at = 0.0
        try:
            child.start(self.mark)
        except OSError as error:  # no memory, no more processes: the others go on
            logger.warning("%s cannot be started: %s; trying again in %.0f s.", child.name, error, MAX_BACKOFF)
            child.start_at = time.monotonic() + MAX_BACKOFF

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """SIGTERM to all, SIGKILL to what is left after `seconds`.

        A worker waits for its task, so the task's own process is asked too: a job then goes back to the queue. It is
        asked a moment later, when the worker has stopped to look for the next one.
        """
        for child in self.children:
            child.terminate()
        begun, asked = time.monotonic(), False
        while any(child.running for child in self.children) and time.monotonic() - begun < seconds:
            if not asked and time.monotonic() - begun > TASK_DELAY:
                self._terminate_tasks()
                asked = True
            time.sleep(0.05)
        self.kill()

    def _terminate_tasks(self) -> None:
        groups = {child.process.pid for child in self.children if child.process}
        for process in marked(self.mark):
            with suppress(psutil.Error, OSError):
                if os.getpgid(process.pid) not in groups:
                    process.terminate()

    def kill(self) -> None:
        for child in self.children:
            child.kill_group()
        for process in marked(self.mark):
            with suppress(psutil.Error):
                process.kill()
                process.wait(5)


def marked(mark: str) -> list[psutil.Process]:
    """All processes that one of our children started, however far they went."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                found.append(process)
    return found


def trim(log: Path, size: int = LOG_BYTES) -> None:
    """Move a log that has grown beyond `size` bytes to NAME.1. Writers append, so cutting it to nothing is safe."""
    if log.exists() and log.stat().st_size > size:
        with suppress(OSError):  # no room for the copy: the cut makes some
            shutil.copyfile(log, log.with_name(log.name + ".1"))
        os.truncate(log, 0)
