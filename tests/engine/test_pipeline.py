"""Threads beside the network: order kept, errors passed on, nothing left running, memory bounded."""

import threading
import time
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from engine.pipeline import ReadAhead, WriteBehind

FRAME = np.zeros((2, 2, 3), np.uint8)


class ListSink:
    """Writes into a list; fails at one of its frames if told so."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.times: list[Fraction] = []
        self.fail_at, self.left_with = fail_at, "not left"

    def write(self, rgb: np.ndarray, pts: Fraction) -> None:
        if len(self.times) == self.fail_at:
            raise OSError(28, "No space left on device")
        self.times.append(pts)

    def __enter__(self) -> "ListSink":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.left_with = type(error).__name__


def live_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()} & {"read-ahead", "write-behind"}


def test_reading_ahead_keeps_the_order_and_ends() -> None:
    with ReadAhead(iter(range(50)), depth=3) as ahead:
        assert list(ahead) == list(range(50))
        assert next(ahead, "over") == "over"
    assert not live_threads()


def test_an_error_while_reading_comes_out_after_what_was_read() -> None:
    def broken() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("torn")

    seen = []
    with pytest.raises(ValueError, match="torn"), ReadAhead(broken()) as ahead:
        seen.extend(iter(lambda: next(ahead), None))
    assert not live_threads()


def test_reading_stays_a_bounded_number_of_items_ahead() -> None:
    taken = []

    def source() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    with ReadAhead(source(), depth=3) as ahead:
        assert next(ahead) == 0
        time.sleep(0.1)
        assert len(taken) <= 1 + 3 + 1
    assert not live_threads()


def test_leaving_early_closes_the_source() -> None:
    closed = threading.Event()

    def source() -> Iterator[int]:
        try:
            yield from range(10**9)
        finally:
            closed.set()

    with ReadAhead(source()) as ahead:
        next(ahead)
    assert closed.is_set()


def test_writing_behind_writes_everything_in_order_before_it_is_left() -> None:
    sink = ListSink()
    with WriteBehind(sink, depth=2) as out:
        for index in range(30):
            out.write(FRAME, Fraction(index))
    assert sink.times == list(range(30))
    assert sink.left_with == "NoneType"
    assert not live_threads()


def test_an_error_while_writing_reaches_the_caller_and_the_writer_is_left_with_it() -> None:
    sink = ListSink(fail_at=3)
    with pytest.raises(OSError, match="No space"), WriteBehind(sink, depth=2) as out:
        for index in range(1000):
            out.write(FRAME, Fraction(index))
    assert sink.times == [0, 1, 2]
    assert sink.left_with == "OSError"
    assert not live_threads()


def test_an_error_on_the_very_last_frame_is_not_lost() -> None:
    sink = ListSink(fail_at=1)
    with pytest.raises(OSError, match="No space"), WriteBehind(sink) as out:
        out.write(FRAME, Fraction(0))
        out.write(FRAME, Fraction(1))
    assert sink.left_with == "OSError"


def test_an_error_of_the_caller_ends_the_writer_with_it() -> None:
    sink = ListSink()
    with pytest.raises(KeyError), WriteBehind(sink) as out:
        out.write(FRAME, Fraction(0))
        raise KeyError
    assert sink.left_with == "KeyError"
    assert not live_threads()
