"""Work in a thread beside the drawing: what it gives, how it is stopped, and what becomes of a full disk."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from engine.aside import Aside, OnStep
from engine.config import RenderOptions
from engine.errors import BadInputError, NoSpaceError, StoppedError
from engine.progress import Progress
from engine.render import render_video
from engine.video import probe

from .footage import BlendModel, shot, write_video


def test_it_is_done_in_the_thread_and_once() -> None:
    seen = list[str]()

    def work(on_step: OnStep) -> str:
        seen.append(threading.current_thread().name)
        return "done"

    with Aside(work) as aside:
        assert [aside.finish(lambda done: None) for _ in range(2)] == ["done", "done"]
    assert seen == ["aside"]


def test_what_is_not_begun_at_once_is_done_where_it_is_asked_for() -> None:
    with Aside(lambda on_step: threading.current_thread().name, at_once=False) as aside:
        assert aside.finish(lambda done: None) == "MainThread"


def test_leaving_early_ends_it() -> None:
    begun, ended = threading.Event(), list[BaseException]()

    def work(on_step: OnStep) -> None:
        try:
            while True:
                on_step(1)
                begun.set()
        except StoppedError as error:
            ended.append(error)
            raise

    with pytest.raises(BadInputError), Aside(work):
        assert begun.wait(5)
        raise BadInputError("something else went wrong")
    assert len(ended) == 1


def test_a_full_disk_in_the_thread_is_tried_again_and_other_errors_are_told() -> None:
    errors: list[Exception] = [NoSpaceError("full"), BadInputError("damaged")]

    def work(on_step: OnStep) -> str:
        if errors:
            raise errors.pop(0)
        return "done"

    with Aside(work) as aside, pytest.raises(BadInputError, match="damaged"):
        aside.finish(lambda done: None)
    with Aside(work) as aside:
        assert aside.finish(lambda done: None) == "done"


def test_who_waits_is_told_how_far_it_is_and_may_stop_it() -> None:
    go_on, seen = threading.Event(), list[int]()

    def work(on_step: OnStep) -> None:
        on_step(7)
        go_on.wait(5)
        on_step(8)

    def stops(done: int) -> None:
        seen.append(done)
        if done == 7:
            go_on.set()
            raise StoppedError("Stopped.")

    with pytest.raises(StoppedError), Aside(work) as aside:
        aside.finish(stops)
    assert seen[-1] == 7


def test_the_preview_of_the_source_is_begun_before_the_first_frame_is_drawn(tmp_path: Path) -> None:
    """Else a job takes longer than the network by as much as it takes."""
    clip, work = write_video(tmp_path / "a.mp4", shot(1, 12, (64, 48))), tmp_path / "work"
    waited = list[bool]()

    def wait(progress: Progress) -> None:
        if progress.stage == "interpolating" and not waited:
            for _ in range(500):
                if (work / "flow_farneback.png").is_file():
                    break
                threading.Event().wait(0.02)
            waited.append((work / "source_preview.mp4").is_file())

    result = render_video(clip, work, RenderOptions(held_out=False), BlendModel(), on_progress=wait)
    assert waited == [True]
    assert result.source_preview is not None and probe(result.source_preview).frame_count == 12
