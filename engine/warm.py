"""A child that is ready before there is work: it has loaded what takes seconds, and takes one request after the other.

Parent and child talk over a socket, the child's standard input, in lines: a request is one line of JSON; the child
answers "taken", and when the work is done "done CODE". The child ends when it is asked to (SIGTERM), when the socket
closes, and with its parent. What is true of `engine.childproc.run_child` is true here: limits, stopping, watching.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psutil

from .childproc import PARENT, ChildResult, exit_code, kill_group, resident, watch
from .memory import give_memory_back

IDLE_NAME, BUSY_NAME = "inbetween-idle", "inbetween-job"  # what ps and top show of a child (Linux; 15 characters)
PR_SET_NAME = 15
TRIM_AFTER = 20.0  # seconds without work after which a child gives freed memory back ...
TRIM_BYTES = 768 << 20  # ... and so much memory with which it does so at once
LOST = 70  # code of a child that ended without an answer although nobody killed it

Request = Mapping[str, str]


class WarmChild:
    """The parent's side. Start it in a thread that lives on: the kernel ends the child with the thread."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        output: int | IO[bytes] | None = None,
    ) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                list(argv),
                stdin=theirs.fileno(),
                stdout=output,
                stderr=subprocess.STDOUT if output is not None else None,
                env={**os.environ, **(env or {}), PARENT: str(os.getpid())},
                cwd=cwd,
                start_new_session=True,  # a group of its own: killed as a whole, untouched by our terminal's Ctrl-C
            )
        self._words = b""
        self.pid = self._process.pid
        self.taken = False  # whether the last request reached the child
        self.served = 0  # requests that ended well

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def serve(
        self,
        request: Request,
        *,
        on_tick: Callable[[], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
        memory_limit: int = 0,
        time_limit: float | Callable[[], float] = 0.0,
        interval: float = 0.25,
        grace: float = 10.0,
    ) -> ChildResult:
        """Hand over one request and look after the child until it is done. Arguments as of `run_child`.

        When the child died before it took the request, `taken` is false: give it to another. Whatever is raised in
        here, the child does not outlive the call.
        """
        self.taken = False
        try:
            with suppress(OSError):  # dead already: `over` says so
                self._socket.sendall(json.dumps(dict(request)).encode() + b"\n")
            result = watch(
                self._process,
                self._over,
                on_tick=on_tick,
                should_stop=should_stop,
                memory_limit=memory_limit,
                time_limit=time_limit,
                interval=interval,
                grace=grace,
            )
        except BaseException:
            self.close()
            raise
        self.served += result.ended == "exit" and result.returncode == 0
        return result

    def fit_to_stay(self, result: ChildResult, most_bytes: int, most_served: int) -> bool:
        """Whether to keep the child after `result`: all went well, and it has not grown. 0 served: never."""
        well = result.ended == "exit" and result.returncode == 0 and self.alive
        return well and self.served < most_served and resident(self.pid) <= most_bytes

    def close(self) -> None:
        """The child and everything it started is gone when this returns."""
        self._socket.close()
        kill_group(self._process)

    def _over(self, seconds: float) -> int | None:
        """The code the work ended with, None while it goes on."""
        readable, _, _ = select.select([self._socket], [], [], seconds)
        if readable:
            try:
                heard = self._socket.recv(4096)
            except OSError:
                heard = b""
            self._words += heard
            *lines, self._words = self._words.split(b"\n")
            for line in lines:
                word, _, said = line.decode(errors="replace").partition(" ")
                self.taken = True
                if word == "done":
                    return int(said)
            if not heard and (code := exit_code(self._process, seconds)) is not None:
                return code or LOST
        return None


def serve(work: Callable[[dict[str, str], Callable[[], bool]], int]) -> None:
    """The child's side, after `die_with_parent` and all loading. Returns when the parent closes the socket.

    `work(request, should_stop)` returns a code; what it raises ends the process. While it works, SIGTERM and SIGINT
    make `should_stop` true; in between this returns. The request's "log" names the file that output goes to.
    """
    stop = threading.Event()
    gc.freeze()  # what is loaded stays: to look through it again after every segment would take 0.1 s
    with _waker(stop) as asked, socket.socket(fileno=os.dup(0)) as parent, parent.makefile("rb") as lines:
        _shut_stdin()
        while not stop.is_set():
            call_myself(IDLE_NAME)
            _wait(parent, asked)
            if stop.is_set() or not (line := lines.readline()):
                return
            call_myself(BUSY_NAME)
            parent.sendall(b"taken\n")
            request = json.loads(line)
            with _output_to(request.get("log", "")):
                code = work(request, stop.is_set)
            _forget_peak()
            parent.sendall(f"done {code}\n".encode())


def is_idle(process: psutil.Process) -> bool:
    """Whether a process is a warm child that waits for work (Linux: elsewhere nobody can tell)."""
    try:
        return bool(process.name() == IDLE_NAME)
    except psutil.Error:
        return False


def call_myself(name: str) -> None:
    """What ps, top and `is_idle` see of this process."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode(), 0, 0, 0)


@contextmanager
def _waker(stop: threading.Event) -> Iterator[socket.socket]:
    """SIGTERM and SIGINT set `stop`, and make the socket readable. A wait that looks at it misses no signal: not one
    that comes just before it begins, nor one that the system gives to another thread."""
    asked, bell = socket.socketpair()
    with asked, bell:
        bell.setblocking(False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, frame: stop.set())
        before = signal.set_wakeup_fd(bell.fileno(), warn_on_full_buffer=False)
        try:
            yield asked
        finally:
            signal.set_wakeup_fd(before)


def _wait(parent: socket.socket, asked: socket.socket) -> None:
    """Until a request or a signal comes. Freed memory goes back to the system when none does for a while, or when it is
    much: the next small request finds it at hand, which saves it a fifth of its time."""
    pause = 0.0 if resident(os.getpid()) > TRIM_BYTES else TRIM_AFTER
    if not select.select([parent, asked], [], [], pause)[0]:
        give_memory_back()
        select.select([parent, asked], [], [])


def _forget_peak() -> None:
    """What the last request needed most is not told to the next one."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _shut_stdin() -> None:
    """Nothing that the work starts may read our requests."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


@contextmanager
def _output_to(log: str) -> Iterator[None]:
    """Output of this process and of what it starts is added to the file `log`; "": goes where it went before."""
    if not log:
        yield
        return
    kept = [os.dup(number) for number in (1, 2)]
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        _point(target, target)
        yield
    finally:
        _point(*kept)
        for number in (*kept, target):
            os.close(number)


def _point(out: int, err: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(out, 1)
    os.dup2(err, 2)
