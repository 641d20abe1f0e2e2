"""Who holds a piece of work, whether that process still lives, and what its child is started with."""

from __future__ import annotations

import os
import secrets
import socket
from contextvars import ContextVar

import psutil

_work: ContextVar[str] = ContextVar("work", default="")


class working_on:  # noqa: N801: it is used like a function
    """`with working_on(job_id):` what is logged inside belongs to it."""

    def __init__(self, work_id: str) -> None:
        self.work_id = work_id

    def __enter__(self) -> None:
        self.token = _work.set(self.work_id)

    def __exit__(self, *error: object) -> None:
        _work.reset(self.token)

    @staticmethod
    def set(work_id: str) -> None:
        """For the rest of the surrounding `with`."""
        _work.set(work_id)


def current_work() -> str:
    """What this thread works on; "" for nothing in particular."""
    return _work.get()


def worker_name() -> str:
    """host:pid:token; the token makes every claim different, so that an old holder cannot write."""
    return f"{_host()}:{os.getpid()}:{secrets.token_hex(6)}"


def worker_is_gone(worker: str) -> bool:
    """True when the claim is from this machine and its process is not there any more."""
    host, _, rest = worker.partition(":")
    pid = rest.partition(":")[0]
    return host == _host() and pid.isdigit() and not psutil.pid_exists(int(pid))


def child_environment(work_id: str, threads: int) -> dict[str, str]:
    """What the child that does the work gets beside our own environment; its id goes into its log lines."""
    return {
        "INBETWEEN_JOB_ID": work_id,
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "PASSIVE",  # idle threads sleep: other work and the web server share the cores
        "PYTHONUNBUFFERED": "1",
    }


def _host() -> str:
    return socket.gethostname()[:80]
