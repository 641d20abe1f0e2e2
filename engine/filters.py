"""Frames through libavfilter: one comes out for every one that goes in, perhaps a little later."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import TypeVar

import av
from av.filter import Graph
from av.video.format import VideoFormat

Time = TypeVar("Time")
Filter = tuple[str, str]  # its name, and its arguments


def filtered(
    frames: Iterable[tuple[Time, av.VideoFrame]], chain: Sequence[Filter]
) -> Iterator[tuple[Time, av.VideoFrame]]:
    """`frames` with their times after the filters of `chain`, each of which must give one frame for one.

    Where the size or the pixel format changes on the way, the filters begin anew.
    """
    graph: Graph | None = None
    kind: tuple[int, int, str] | None = None
    waiting = deque[Time]()  # filters keep time in units of their own, so it goes around them
    for time, frame in frames:
        if kind != (kind := (frame.width, frame.height, frame.format.name)) or graph is None:
            yield from _rest(graph, waiting)
            graph = _graph(*kind, chain)
        waiting.append(time)
        graph.vpush(frame)
        yield from _ready(graph, waiting)
    yield from _rest(graph, waiting)


def _ready(graph: Graph, waiting: deque[Time]) -> Iterator[tuple[Time, av.VideoFrame]]:
    with suppress(av.BlockingIOError, av.EOFError):
        while True:
            frame = graph.vpull()
            yield waiting.popleft(), frame


def _rest(graph: Graph | None, waiting: deque[Time]) -> Iterator[tuple[Time, av.VideoFrame]]:
    if graph is not None:
        graph.vpush(None)
        yield from _ready(graph, waiting)
    waiting.clear()


def _graph(width: int, height: int, pix_fmt: str, chain: Sequence[Filter]) -> Graph:
    graph = Graph()
    picture = VideoFormat(pix_fmt, width, height)
    last = graph.add_buffer(width=width, height=height, format=picture, time_base=Fraction(1, 90000))
    for name, arguments in (*chain, ("buffersink", "")):
        following = graph.add(name, arguments or None)
        last.link_to(following)
        last = following
    graph.configure()
    return graph
