"""Reading and encoding beside the network: threads with bounded queues, so that memory stays flat.

An exception in a thread comes out where its work is used. Leaving a `with` block early ends the thread.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

import av
import numpy as np

Item = TypeVar("Item")
DEPTH = 4  # frames waiting in a queue
QUEUE_BYTES = 256 << 20  # of frames waiting in a queue, about; one always may
_POLL = 0.1  # seconds after which a blocked thread looks whether it is still wanted


class Sink(Protocol):
    """A video writer: frames in order of time; leaving its `with` finishes the file, or removes it on an error."""

    def write(self, rgb: np.ndarray, pts: Fraction) -> None: ...

    def write_native(self, frame: av.VideoFrame, pts: Fraction) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None: ...


def depth_for(width: int, height: int) -> int:
    """How many frames of this size, in pixels, may wait in a queue: `DEPTH`, but of very large ones fewer."""
    return max(1, min(DEPTH, QUEUE_BYTES // (width * height * 6)))


class ReadAhead(Generic[Item]):
    """Iterates over `source` in a thread, up to `depth` items ahead. Use in a `with` block."""

    def __init__(self, source: Iterator[Item], depth: int = DEPTH) -> None:
        self._source = source
        self._queue: queue.Queue[tuple[Item | None, BaseException | None]] = queue.Queue(depth)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="read-ahead", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        item, error = self._queue.get()
        if error is not None:
            self._put((None, error))  # a later call gets the same answer
            raise error
        return item  # type: ignore[return-value]  # without an error there is an item

    def _run(self) -> None:
        end: BaseException = StopIteration()
        try:
            for item in self._source:
                if not self._put((item, None)):
                    break
        except BaseException as error:  # noqa: BLE001 - raised again in __next__
            end = error
        finally:
            with suppress(AttributeError):
                self._source.close()  # type: ignore[attr-defined]  # a generator: releases the file in its own thread
        self._put((None, end))

    def _put(self, entry: tuple[Item | None, BaseException | None]) -> bool:
        while not self._stopped.is_set():
            with suppress(queue.Full):
                self._queue.put(entry, timeout=_POLL)
                return True
        return False


class WriteBehind:
    """Hands frames to a writer in a thread. Leaving the `with` block waits for the last frame and finishes the file."""

    def __init__(self, sink: Sink, depth: int = DEPTH) -> None:
        self._sink = sink
        self._queue: queue.Queue[tuple[np.ndarray | av.VideoFrame, Fraction] | None] = queue.Queue(depth)
        self._failed = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="write-behind", daemon=True)

    def __enter__(self) -> Self:
        self._sink.__enter__()
        self._thread.start()
        return self

    def write(self, rgb: np.ndarray, pts: Fraction) -> None:
        """Raises what the writer raised on an earlier frame."""
        self._hand_over(rgb, pts)

    def write_native(self, frame: av.VideoFrame, pts: Fraction) -> None:
        """As `write`, for a frame of a decoder."""
        self._hand_over(frame, pts)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._failed.set()  # frames still waiting are not encoded any more
        self._put(None)
        self._thread.join()
        failure = error or self._error
        self._sink.__exit__(type(failure) if failure else None, failure, trace)
        if error is None and self._error is not None:
            raise self._error

    def _hand_over(self, picture: np.ndarray | av.VideoFrame, pts: Fraction) -> None:
        if not self._put((picture, pts)) and self._error is not None:
            raise self._error

    def _put(self, entry: tuple[np.ndarray | av.VideoFrame, Fraction] | None) -> bool:
        while not self._failed.is_set():
            with suppress(queue.Full):
                self._queue.put(entry, timeout=_POLL)
                return True
        return False

    def _run(self) -> None:
        while not self._failed.is_set():
            try:
                entry = self._queue.get(timeout=_POLL)
            except queue.Empty:
                continue
            if entry is None:
                return
            try:
                picture, pts = entry
                if isinstance(picture, av.VideoFrame):
                    self._sink.write_native(picture, pts)
                else:
                    self._sink.write(picture, pts)
            except BaseException as error:  # noqa: BLE001 - raised again in write() or at the end
                self._error = error
                self._failed.set()
