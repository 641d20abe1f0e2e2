"""What a result takes from its source besides the picture: sound, subtitles, chapters, and words about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from av.container import InputContainer, OutputContainer

from .damage import Damage
from .demux import packets, video_stream
from .formats import Format
from .part import Part, Timed
from .sound import Sound, sound_tracks
from .subtitles import Subtitles, subtitle_tracks
from .video_info import VideoInfo
from .words import copy_chapters, copy_track_words, film_words


@dataclass(frozen=True, slots=True)
class Carry:
    """What to take from `source`, and from which part of it.

    begin, end: seconds from its first frame; what lies outside is cut away, None is no end. stretch: how many times as
    long the result is: times are multiplied, sound is stretched without a change of pitch. sound, subtitles: whether
    they come along. browser_sound: sound is made AAC stereo where browsers would not play it.
    """

    source: Path
    begin: Fraction = Fraction(0)
    end: Fraction | None = None
    stretch: int = 1
    sound: bool = True
    subtitles: bool = True
    browser_sound: bool = False

    def part(self, first_frame: Fraction) -> Part:
        """first_frame: when the first frame of the source is shown, in seconds of its own clock."""
        return Part(first_frame + self.begin, self.end - self.begin if self.end is not None else None, self.stretch)

    def sound_begins(self, start: float) -> float:
        """When a track is heard in the result that begins `start` seconds after the first frame of the source."""
        return max(0.0, start - float(self.begin)) * self.stretch


class Beside:
    """The tracks of a result of the format `entry` besides its `picture`. Made before the first packet is written."""

    def __init__(
        self,
        carry: Carry,
        first_frame: Fraction,
        source: InputContainer,
        result: OutputContainer,
        entry: Format,
        picture: Any,
        notes: list[str],
    ) -> None:
        part, self._source = carry.part(first_frame), source
        self._tracks: dict[int, Sound | Subtitles] = {}
        if carry.sound:
            found = sound_tracks(source, result, entry, part, notes, browser_sound=carry.browser_sound)
            self._tracks.update({track.source.index: track for track in found})
        if carry.subtitles:
            texts = subtitle_tracks(source, result, entry, part, notes)
            self._tracks.update({track.source.index: track for track in texts})
        copy_track_words(video_stream(source), picture)
        result.metadata.update(film_words(source.metadata))
        copy_chapters(source, result, part)

    def packets(self) -> Iterator[Timed]:
        """The packets of all these tracks, in the order of the source, with the time they are decoded at."""
        streams = [track.source for track in self._tracks.values()]
        for packet in packets(self._source, streams, Damage()) if streams else ():
            if packet.size:
                yield from self._tracks[packet.stream_index].packets(packet)
        for track in self._tracks.values():
            yield from track.rest()


def left_out(info: VideoInfo, name: str) -> list[str]:
    """In words, what a result named `name` ("GIF") that holds pictures only leaves out of a source."""
    kinds = ((len(info.audio), "sound track"), (len(info.subtitles), "subtitle track"), (len(info.chapters), "chapter"))
    lost = [f"{count} {word}{'' if count == 1 else 's'}" for count, word in kinds if count]
    if not lost:
        return []
    words = " and ".join(filter(None, [", ".join(lost[:-1]), lost[-1]]))
    return [f"{name} holds nothing but pictures: {words} left out."]
