"""A render finds too little room on its disk: it waits, says so, goes on, is stopped, or gives up."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.disk import MIN_FREE_BYTES, Room, in_words
from engine.errors import NoSpaceError, StoppedError

MIB = 2**20


class Disk:
    """A disk whose free bytes are told by `free(second)`, and a clock that moves only while somebody sleeps."""

    def __init__(self, free: Callable[[float], int]) -> None:
        self.free, self.now, self.said = free, 0.0, list[str]()

    def usage(self, folder: Path) -> SimpleNamespace:
        return SimpleNamespace(free=self.free(self.now))

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def room(self, patience: float, say: Callable[[str], None] | None = None) -> Room:
        return Room(Path(), say or self.said.append, patience, clock=lambda: self.now, sleep=self.sleep)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[float], int]], Disk]:
    def make(free: Callable[[float], int]) -> Disk:
        made = Disk(free)
        monkeypatch.setattr("engine.disk.shutil.disk_usage", made.usage)
        return made

    return make


Make = Callable[[Callable[[float], int]], Disk]


def full() -> NoSpaceError:
    error = NoSpaceError("The disk is full.")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    return error


def test_with_enough_room_nothing_waits(disk: Make) -> None:
    made = disk(lambda now: 100 * MIB)
    made.room(3600).wait(36 * MIB)
    assert (made.now, made.said) == (0.0, [""])


def test_it_waits_until_there_is_room_for_what_is_to_be_written_and_says_how_much(disk: Make) -> None:
    made = disk(lambda now: 100 * MIB if now < 5 else 400 * MIB)
    made.room(3600).wait(300 * MIB)
    assert made.now == 5.0
    assert made.said == ["364 MB of free space"] * 5 + [""]


def test_without_patience_it_fails_at_once(disk: Make) -> None:
    made = disk(lambda now: 3 * MIB)
    with pytest.raises(NoSpaceError, match="Only 3 MiB are free"):
        made.room(0).wait()
    with pytest.raises(NoSpaceError, match="The disk is full"):
        made.room(0).after(full())
    assert made.now == 0.0


def test_it_gives_up_when_its_patience_is_used_up_and_says_what_was_needed(disk: Make) -> None:
    made = disk(lambda now: 10 * MIB)
    with pytest.raises(NoSpaceError) as caught:
        made.room(24 * 3600).wait(1000 * MIB)
    assert str(caught.value) == (
        "For 24 hours there was not enough room on the disk: 1.0 GB are needed, 10.0 MB are free. "
        "Make room and start again: finished parts are kept."
    )
    assert made.now == 24 * 3600 + 1


def test_a_disk_that_filled_up_meanwhile_must_have_more_room_than_it_had_before_it_is_tried_again(disk: Make) -> None:
    made = disk(lambda now: (100 if now < 7 else 170) * MIB)
    made.room(3600).after(full())
    assert made.now == 7.0
    assert set(made.said) == {"164 MB of free space", ""}


def test_a_quota_that_no_figure_shows_is_tried_again_every_minute_until_it_gives_up(disk: Make) -> None:
    made, tries = disk(lambda now: 10**12), list[float]()
    room = made.room(300)

    def write() -> None:
        tries.append(made.now)
        raise full()

    with pytest.raises(NoSpaceError, match="For 5 minutes"):
        room.do(write)
    assert tries == [0, 60, 120, 180, 240, 300]


def test_a_file_larger_than_the_disk_can_hold_is_not_waited_for(disk: Make) -> None:
    made, error = disk(lambda now: 10**12), full()
    error.__cause__ = OSError(errno.EFBIG, "File too large")
    with pytest.raises(NoSpaceError):
        made.room(3600).after(error)
    assert made.now == 0.0


def test_work_is_done_again_when_there_is_room_and_gives_its_result(disk: Make) -> None:
    made, results = disk(lambda now: (100 if now < 3 else 200) * MIB), [full(), full(), "written"]

    def write() -> str:
        result = results.pop(0)
        if isinstance(result, NoSpaceError):
            raise result
        return str(result)

    assert made.room(3600).do(write, needed=20 * MIB) == "written"
    assert made.now == 63.0  # the second failure had no more room to hope for: tried again after a minute


def test_patience_begins_anew_after_a_success(disk: Make) -> None:
    made = disk(lambda now: 0 if now % 100 < 90 else 200 * MIB)
    room = made.room(95)
    for _ in range(5):
        room.wait()
        room.succeeded()
        made.now += 10
    assert made.now == 500


def test_it_can_be_stopped_while_it_waits(disk: Make) -> None:
    def stop(words: str) -> None:
        raise StoppedError(words)

    with pytest.raises(StoppedError, match=r"64\.0 MB of free space"):
        disk(lambda now: 0).room(3600, stop).wait()
    assert MIN_FREE_BYTES == 64 * MIB


@pytest.mark.parametrize(("size", "words"), [(1023, "1023 bytes"), (1.2 * 2**30, "1.2 GB")])
def test_sizes_in_words(size: float, words: str) -> None:
    assert in_words(size) == words
