"""Whatever a person reads can be translated: templates, scripts and refusals are looked through for bare words."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.base import Lexer, TokenType
from django.test import Client

ROOT = Path(settings.BASE_DIR)
NAMES = {"Inbetween", "API", "curl", "Python", "PSNR", "SSIM", "dB", "fps", "MiB"}  # the same in every language
READ = "aria-label|title|alt|placeholder|data-confirm|data-on|data-off"  # attributes that are read or spoken
OWN_BLOCKS = {"blocktranslate", "comment", "verbatim"}
TRANSLATED = {"gettext", "gettext_lazy", "ngettext", "_"}
REFUSING = ("interpolation/services", "interpolation/views", "interpolation/*forms.py", "training/*.py")


def bare_words(template: str) -> list[str]:
    """What stands in a template as it is: between tags, in attributes that are read, as default of a variable."""
    html, found, within = "", [], ""
    for token in Lexer(template).tokenize():
        words = token.contents
        if token.token_type is TokenType.BLOCK:
            name = words.split()[0]
            if not within and name in OWN_BLOCKS:
                within = f"end{name}"
            elif name == within:
                within = ""
        elif token.token_type is TokenType.VAR:
            found += re.findall(r'\|default:"([^"]* [^"]*)"', words)
        elif token.token_type is TokenType.TEXT and not within:
            html += words
            continue
        html += "\0"
    html = re.sub(r"(?s)<(script|style|code|svg)\b.*?</\1>|<!--.*?-->", "\0", html)
    for value in re.findall(rf'(?:{READ})="([^"]*)"', html):
        found += value.split("\0")
    found += re.split("\0", re.sub(r"<[^>]*>", "\0", html))
    plain = (re.sub(r"&#?\w+;", "", " ".join(words.split())) for words in found)
    return [words for words in plain if re.search("[A-Za-z]{2}", words) and words not in NAMES]


def bare_sentences(script: str) -> list[str]:
    """Strings of a script that look like words for people and are not handed to gettext."""
    script = re.sub(r"(?m)(^|[\s;,{}])//.*$", "", script)
    script = re.sub(r'(?:gettext|ngettext)\((?:"[^"]*"(?:, )?)+', "", script)
    return [text for text in re.findall(r"[\"`]([^\"`\n]*)[\"`]", script) if re.match(r"[A-Z][a-z]+[ ,:]+[a-z$]", text)]


def bare_refusals(code: str) -> list[str]:
    """Sentences that are raised without gettext."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call) or not node.exc.args:
            continue
        inside = list(ast.walk(node.exc.args[0]))
        if any(isinstance(one, ast.Call) and getattr(one.func, "id", "") in TRANSLATED for one in inside):
            continue
        found += [
            one.value
            for one in inside
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value.count(" ") > 1
        ]
    return found


@pytest.mark.parametrize(
    "template", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: str(path.relative_to(ROOT / "templates"))
)
def test_a_template_holds_no_words_that_cannot_be_translated(template: Path) -> None:
    assert bare_words(template.read_text()) == []


@pytest.mark.parametrize("script", sorted((ROOT / "static" / "js").glob("*.js")), ids=lambda path: path.name)
def test_a_script_holds_no_words_that_cannot_be_translated(script: Path) -> None:
    assert bare_sentences(script.read_text()) == []


def test_no_refusal_is_said_in_words_that_cannot_be_translated() -> None:
    files = [
        file
        for place in REFUSING
        for found in ROOT.glob(place)
        for file in (found.glob("*.py") if found.is_dir() else [found])
    ]
    assert len(files) > 30
    bare = {str(file.relative_to(ROOT)): bare_refusals(file.read_text()) for file in files}
    assert {name: words for name, words in bare.items() if words} == {}


def test_the_scans_find_what_they_look_for() -> None:
    html = '<p title="Look here" alt="{% if one %}at{% endif %}">Bare {{ one|default:"in order" }} dB</p>'
    html += '{% translate "Not bare" %}'
    assert bare_words(html) == ["in order", "Look here", "at", "Bare"]
    assert bare_sentences('say("Try it again"); say(gettext("Try it again"));') == ["Try it again"]
    assert bare_refusals('raise ServiceError("Choose a clip.")') == ["Choose a clip."]
    assert bare_refusals('raise ServiceError(_("Choose a %(kind)s now.") % {"kind": 1})') == []


def test_scripts_get_their_words_in_the_language_of_the_page(client: Client) -> None:
    answer = client.get("/words.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert "django.gettext" in answer.content.decode()
    assert '<script src="/words.js" defer>' in client.get("/help/").content.decode()
