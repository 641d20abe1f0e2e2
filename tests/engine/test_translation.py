"""What the engine says is English by itself, and another language where somebody translates for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.translation import gettext, ngettext, override
from pytest_django.fixtures import Settings

from engine import translation
from engine.config import RenderOptions, parse_fps
from engine.damage import Damage
from engine.errors import BadOptionsError
from engine.picture_film import NO_TRUTH
from tests.catalogues import write_catalogue

RATE = '"{value}" is not a frame rate. Give a number such as 60 or 60000/1001.'
RATE_DE = '"{value}" ist keine Bildrate.'
FRAMES = ("{count} frame had no usable time: left out.", "{count} frames had no usable time: left out.")
FRAMES_DE = ("{count} Bild ohne Zeit.", "{count} Bilder ohne Zeit.")


@pytest.fixture(autouse=True)
def _the_portal_translates_again() -> Iterator[None]:
    yield
    translation.install(gettext, ngettext)


def said(value: str) -> str:
    with pytest.raises(BadOptionsError) as refused:
        parse_fps(value)
    return str(refused.value)


def test_without_django_the_engine_speaks_english() -> None:
    script = """
import sys
import engine.render, engine.learn.loop, engine.probe_child
from engine.config import parse_fps
from engine.damage import Damage
print(Damage(frames=1).words(), Damage(frames=2).words())
try:
    parse_fps("fast")
except ValueError as error:
    print(error)
print([name for name in sys.modules if name.partition(".")[0] == "django"])
"""
    command = [sys.executable, "-c", script]
    root = Path(translation.__file__).parent.parent
    lines = subprocess.run(command, capture_output=True, text=True, cwd=root, check=True).stdout.splitlines()
    assert lines == [
        f"{[FRAMES[0].format(count=1)]} {[FRAMES[1].format(count=2)]}",
        RATE.format(value="fast"),
        "[]",
    ]


def test_a_translator_that_is_installed_is_asked_for_every_error() -> None:
    translation.install({RATE: RATE_DE}.get, lambda one, many, number: FRAMES_DE[number != 1])  # type: ignore[arg-type]
    assert said("fast") == '"fast" ist keine Bildrate.'
    assert Damage(frames=1).words() == ["1 Bild ohne Zeit."]
    assert Damage(frames=7).words() == ["7 Bilder ohne Zeit."]
    translation.install()
    assert said("fast") == RATE.format(value="fast")


def test_lists_of_choices_and_places_are_put_together_in_the_language() -> None:
    german = {"{first} or {last}": "{first} oder {last}", "{first} and {last}": "{first} und {last}"}
    translation.install(lambda text: german.get(text, text))
    assert translation.any_of(["a", "b", "c"]) == "a, b oder c"
    assert translation.all_of(["a", "b"]) == "a und b"
    assert translation.all_of(["a"]) == "a"
    with pytest.raises(BadOptionsError, match="Choose keep, stretch oder drop"):
        RenderOptions(sound="loud")  # type: ignore[arg-type]


def test_the_portal_lets_the_engine_speak_the_language_of_whoever_asks(settings: Settings, tmp_path: Path) -> None:
    write_catalogue(tmp_path, "de", {RATE: RATE_DE, "\0".join(FRAMES): "\0".join(FRAMES_DE), NO_TRUTH: "Niemand."})
    settings.LOCALE_PATHS = [tmp_path]
    with override("de"):
        assert said("fast") == '"fast" ist keine Bildrate.'
        assert Damage(frames=2).words() == ["2 Bilder ohne Zeit."]
        assert translation.gettext(NO_TRUTH) == "Niemand."
    assert said("fast") == RATE.format(value="fast")


def test_a_process_without_django_reads_the_same_catalogues(tmp_path: Path) -> None:
    write_catalogue(tmp_path / "ours", "de", {RATE: RATE_DE})
    write_catalogue(tmp_path / "theirs", "de", {RATE: "never seen", "\0".join(FRAMES): "\0".join(FRAMES_DE)})
    folders = [tmp_path / "ours", tmp_path / "theirs", tmp_path / "nowhere"]
    translation.install_catalogues(folders, "de_AT")
    assert said("fast") == '"fast" ist keine Bildrate.'
    assert Damage(frames=2).words() == ["2 Bilder ohne Zeit."]
    assert translation.gettext("Something else.") == "Something else."
    translation.install_catalogues(folders, "fr")
    assert said("fast") == RATE.format(value="fast")
