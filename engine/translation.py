"""Words for people in their language, without knowing how they are translated.

The engine says what it has to say in English, through the functions here. Whoever translates (the portal: Django's
catalogues) installs its own; without that the English comes out as it is. `gettext_noop` marks words that are made
before anybody can ask for a language: constants, which go through `gettext` where they are shown.

A sentence is one text with named places, filled in after it is translated: `_("There is no {file}.").format(file=...)`.
"""

from __future__ import annotations

import gettext as catalogues
from collections.abc import Callable, Sequence
from pathlib import Path

Gettext = Callable[[str], str]
Ngettext = Callable[[str, str, int], str]


def _english(message: str) -> str:
    return message


def _english_number(singular: str, plural: str, number: int) -> str:
    return singular if number == 1 else plural


_gettext: Gettext = _english
_ngettext: Ngettext = _english_number


def install(translate: Gettext = _english, translate_number: Ngettext = _english_number) -> None:
    """From now on these translate, in all threads; called without any, it is English again.

    They are asked at every word, so that they may answer in the language of whoever is served.
    """
    global _gettext, _ngettext
    _gettext, _ngettext = translate, translate_number


def install_catalogues(folders: Sequence[Path], locale: str) -> None:
    """For a process of its own that has no Django: reads the same files (`de/LC_MESSAGES/django.mo`) itself.

    folders: the first that has a text is believed, as with Django's LOCALE_PATHS. locale: "de" or "pt_BR".
    """
    found = catalogues.NullTranslations()
    for folder in reversed(folders):
        found, rest = catalogues.translation("django", folder, [locale], fallback=True), found
        found.add_fallback(rest)
    install(found.gettext, found.ngettext)


def gettext(message: str) -> str:
    return _gettext(message)


def ngettext(singular: str, plural: str, number: int) -> str:
    """In English the first for 1, the second for all other numbers; other languages have other rules."""
    return _ngettext(singular, plural, number)


def all_of(words: Sequence[str]) -> str:
    """ "a, b and c"."""
    *first, last = words
    return gettext("{first} and {last}").format(first=", ".join(first), last=last) if first else last


def any_of(words: Sequence[str]) -> str:
    """ "a, b or c"."""
    *first, last = words
    return gettext("{first} or {last}").format(first=", ".join(first), last=last) if first else last


def gettext_noop(message: str) -> str:
    """The text as it is; the collector of messages finds it by this name."""
    return message
