"""What a result takes from its source besides the picture: sound, subtitles, chapters, and words about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from av.container import InputContainer, OutputContainer

from .damage import Damage
from .demux import open_input, packets, video_stream
from .flipbook import is_flipbook
from .formats import Format
from .part import Part, Timed
from .sound import Sound, decodable, sound_tracks
from .subtitles import Subtitles, holds, is_pause, shown_at, subtitle_tracks
from .translation import all_of, ngettext
from .translation import gettext as _
from .video_info import VideoInfo
from .words import chapters_of, copy_track_words, film_words

HEARD = Fraction(1, 10)  # seconds of sound before the first frame; less is what encoders put in front


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

    def promise(self, info: VideoInfo, entry: Format) -> dict[str, Any]:
        """What of it a file of the format `entry` must turn out to have, for `certify`. info: of the source."""
        if entry.kind != "film":
            return {}
        if is_flipbook(self.source):
            return {"audio_streams": 0, "subtitle_streams": 0, "chapters": 0}
        part = self.part(info.start)
        with open_input(self.source) as source:
            first = _first_moments(source, part)
            sounds = [one for one in source.streams.audio if self.sound and one.index in first and decodable(one)]
            texts = [one for one in source.streams.subtitles if one.index in first and holds(entry, one)]
            return {
                "audio_streams": len(sounds),
                "subtitle_streams": len(texts) if self.subtitles else 0,
                "av_offset": float(first[sounds[0].index] * self.stretch) if sounds else None,
                "chapters": len(chapters_of(source, part)),
            }


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
        part, self._source, self._notes = carry.part(first_frame), source, notes
        with open_input(carry.source) as again:  # walked through before the packets are
            full = set(_first_moments(again, part))
        self._tracks: dict[int, Sound | Subtitles] = {}
        self._sounds = list[Sound]()
        if carry.sound:
            notes += _early(source, first_frame) if not carry.begin else []
            self._sounds = sound_tracks(
                source, result, entry, part, full, notes, begin=carry.begin, browser_sound=carry.browser_sound
            )
            self._tracks.update({track.source.index: track for track in self._sounds})
        if carry.subtitles:
            texts = subtitle_tracks(source, result, entry, part, full, notes)
            self._tracks.update({track.source.index: track for track in texts})
        copy_track_words(video_stream(source), picture)
        result.metadata.update(film_words(source.metadata))
        if chapters := chapters_of(source, part):
            result.set_chapters(chapters)

    def packets(self) -> Iterator[Timed]:
        """The packets of all these tracks, in the order of the source, with the time they are decoded at. At the end,
        damage of the sound is told in the notes."""
        streams = [track.source for track in self._tracks.values()]
        for packet in packets(self._source, streams, Damage()) if streams else ():
            if packet.size:
                yield from self._tracks[packet.stream_index].packets(packet)
        for track in self._tracks.values():
            yield from track.rest()
        for sound in self._sounds:
            self._notes += sound.hearing.words()


def _early(source: InputContainer, first_frame: Fraction) -> list[str]:
    """In words, which sound tracks lose a beginning that a person may hear, as the picture comes later."""
    notes = []
    for number, stream in enumerate(source.streams.audio, 1):
        lost = first_frame - (stream.start_time or 0) * (stream.time_base or 1)
        if stream.start_time is not None and lost > HEARD:
            notes.append(
                _("Sound track {number} begins {seconds:.1f} s before the first frame: left out up to there.").format(
                    number=number, seconds=float(lost)
                )
            )
    return notes


def _first_moments(source: InputContainer, part: Part) -> dict[int, Fraction]:
    """When each sound and subtitle stream begins that has anything in the part, in its seconds, by its index. MP4 holds
    no empty tracks."""
    streams = [*source.streams.audio, *source.streams.subtitles]
    found, early = dict[int, Fraction](), set[int]()
    for packet in packets(source, streams, Damage()) if streams else ():
        index, stamp = packet.stream_index, packet.pts if packet.pts is not None else packet.dts
        if index in found or not packet.size or stamp is None:
            continue
        begin = part.seconds(stamp, packet.time_base)
        if packet.stream.type == "subtitle":
            inside = not is_pause(packet) and part.span(*shown_at(packet)) is not None
        else:
            inside = begin >= 0 and (part.length is None or begin < part.length)
            early |= {index} if begin < 0 else set()  # it sounds already when the part begins
        if inside:
            found[index] = Fraction(0) if index in early else max(begin, Fraction(0))
        if len(found) == len(streams):
            break
    return found


def left_out(info: VideoInfo, name: str) -> list[str]:
    """In words, what a result named `name` ("GIF") that holds pictures only leaves out of a source."""
    sounds, subtitles, chapters = len(info.audio), len(info.subtitles), len(info.chapters)
    kinds = (
        (sounds, ngettext("{count} sound track", "{count} sound tracks", sounds)),
        (subtitles, ngettext("{count} subtitle track", "{count} subtitle tracks", subtitles)),
        (chapters, ngettext("{count} chapter", "{count} chapters", chapters)),
    )
    lost = [words.format(count=count) for count, words in kinds if count]
    if not lost:
        return []
    return [_("{name} holds nothing but pictures: {lost} left out.").format(name=name, lost=all_of(lost))]
