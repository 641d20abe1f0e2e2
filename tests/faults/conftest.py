"""A long job, and a worker in a thread that works on it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from interpolation import services, tasks
from interpolation.models import Job, Project
from tests.conftest import write_clip


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for: {what}"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """240 frames of 64x48 at 8 fps: half a minute in several segments."""
    return write_clip(tmp_path_factory.mktemp("clip") / "long.mp4", frames=240)


@pytest.fixture
def long_job(
    children_use_this_database: None,
    project: Project,
    long_clip: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Job:
    settings.JOB_THREADS = 1
    monkeypatch.setenv("INBETWEEN_JOB_THREADS", "1")
    source = services.source_create(project=project, kind="video", upload=long_clip)
    return services.job_create(source=source, options={"inbetween": 10, "held_out": False})


class Worker:
    """`tasks.job_run` in a thread, as a worker of the queue would call it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.ended: list[str] = []
        self.thread = threading.Thread(target=self.work)

    def work(self) -> None:
        try:
            self.ended.append(tasks.job_run(str(self.job.pk)))
        finally:
            connection.close()

    def start(self) -> Worker:
        self.thread.start()
        return self

    def wait(self, seconds: float) -> str:
        """How the attempt ended. Fails when it takes longer than `seconds`."""
        self.thread.join(seconds)
        assert not self.thread.is_alive(), f"the worker still works after {seconds} s"
        return self.ended[0]

    def until_frames(self, count: int = 1) -> psutil.Process:
        """Waits until so many frames are drawn; the child that draws them."""

        def far_enough() -> bool:
            self.job.refresh_from_db()
            return self.job.stage == "interpolating" and self.job.frames_done >= count

        wait_for(far_enough, 120, f"{count} frames drawn")
        return self.child()

    def child(self) -> psutil.Process:
        (child,) = children()
        return child


def children() -> list[psutil.Process]:
    """What renders jobs, or waits for one."""
    return [child for child in psutil.Process().children() if is_ours(child)]


def is_ours(process: psutil.Process) -> bool:
    try:
        return "serve_jobs" in process.cmdline()
    except psutil.Error:  # it has just ended
        return False


@pytest.fixture
def start_worker() -> Iterator[Callable[[Job], Worker]]:
    workers: list[Worker] = []

    def start(job: Job) -> Worker:
        workers.append(Worker(job))
        return workers[-1].start()

    yield start
    for worker in workers:
        if worker.thread.is_alive():
            for child in children():
                child.kill()
            worker.thread.join(30)
