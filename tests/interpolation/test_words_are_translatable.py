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
TRANSLATED = {"gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "_"}  # as `make messages` finds them
LOG = {"debug", "info", "warning", "error", "exception", "critical"}
SPOKEN = (
    "interpolation/views",
    "interpolation/*form*.py",
    "interpolation/access.py",
    "interpolation/services/options.py",
    "training/[vfp]*.py",
    "frameinterp_site/holds.py",
)
KEPT = {  # programs that are copied, entries of logs, names that are stored
    "interpolation/views/recipes.py": None,
    "interpolation/views/results.py": {"loading the model"},
    "training/promotion.py": {" the default model: "},
    "frameinterp_site/holds.py": {" (sudo by ", "no reason given", "workers held: ", "workers released: "},
}
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


def bare_strings(code: str) -> list[str]:
    """Words in a module of texts: labels, choices, messages; whole or as pieces between values of an f-string."""
    tree, silent = ast.parse(code), set[int]()

    def pass_over(*nodes: ast.AST) -> None:
        silent.update(id(one) for node in nodes for one in ast.walk(node))

    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            logged = name in LOG and getattr(getattr(node.func, "value", None), "id", "") == "log"
            if name in TRANSLATED or logged:
                pass_over(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # a docstring
            pass_over(node)
        elif isinstance(node, ast.FunctionDef) and node.returns:
            pass_over(node.returns)
        elif isinstance(node, (ast.arg, ast.AnnAssign)) and node.annotation:
            pass_over(node.annotation)
    found = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in silent]
    return [
        text
        for text in found
        if isinstance(text, str) and re.search(r"^[A-Z][a-z]+ [a-z]|[a-z]+,? [a-z]+ [a-z]+", text)
    ]


def files_of(*places: str) -> list[Path]:
    found = [path for place in places for path in sorted(ROOT.glob(place))]
    return [file for path in found for file in (sorted(path.glob("*.py")) if path.is_dir() else [path])]


def test_labels_choices_and_messages_can_be_translated() -> None:
    bare = {}
    files = files_of(*SPOKEN)
    assert len(files) > 25
    for file in files:
        name = str(file.relative_to(ROOT))
        kept = KEPT.get(name, set())
        if kept is not None and (words := set(bare_strings(file.read_text())) - kept):
            bare[name] = words
    assert bare == {}


def test_gettext_is_called_by_a_name_that_the_collector_of_messages_knows() -> None:
    names = {
        one.asname or one.name
        for file in files_of("interpolation/**/*.py", "training/**/*.py", "frameinterp_site/**/*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for one in node.names
        if "gettext" in one.name
    }
    assert names == TRANSLATED


@pytest.mark.parametrize(
    "template", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: str(path.relative_to(ROOT / "templates"))
)
def test_a_template_holds_no_words_that_cannot_be_translated(template: Path) -> None:
    assert bare_words(template.read_text()) == []


@pytest.mark.parametrize("script", sorted((ROOT / "static" / "js").glob("*.js")), ids=lambda path: path.name)
def test_a_script_holds_no_words_that_cannot_be_translated(script: Path) -> None:
    assert bare_sentences(script.read_text()) == []


def test_no_refusal_is_said_in_words_that_cannot_be_translated() -> None:
    files = files_of(*REFUSING)
    assert len(files) > 30
    bare = {str(file.relative_to(ROOT)): bare_refusals(file.read_text()) for file in files}
    assert {name: words for name, words in bare.items() if words} == {}


def test_the_scans_find_what_they_look_for() -> None:
    html = '<p title="Look here" alt="{% if one %}at{% endif %}">Bare {{ one|default:"in order" }} dB</p>'
    html += '{% translate "Not bare" %}'
    assert bare_words(html) == ["in order", "Look here", "at", "Bare"]
    assert bare_sentences('say("Try it again"); say(gettext("Try it again"));') == ["Try it again"]
    assert bare_strings('label = "Repeated frames"; say(f"{n} of this project now")') == [
        "Repeated frames",
        " of this project now",
    ]
    assert bare_strings('label = _("Repeated frames"); log.info("one of these ran"); key = "hold"') == []
    assert bare_refusals('raise ServiceError("Choose a clip.")') == ["Choose a clip."]
    assert bare_refusals('raise ServiceError(_("Choose a %(kind)s now.") % {"kind": 1})') == []


def test_scripts_get_their_words_in_the_language_of_the_page(client: Client) -> None:
    answer = client.get("/words.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert "django.gettext" in answer.content.decode()
    assert '<script src="/words.js" defer>' in client.get("/help/").content.decode()
