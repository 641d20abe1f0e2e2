"""Whatever a person reads can be translated: templates, scripts, refusals, and what the engine says are looked through
for bare words."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TypeGuard

import pytest
from django.conf import settings
from django.template.base import Lexer, TokenType
from django.test import Client

ROOT = Path(settings.BASE_DIR)
NAMES = {"Inbetween", "API", "curl", "Python", "PSNR", "SSIM", "dB", "fps", "MiB"}  # the same in every language
READ = "aria-label|title|alt|placeholder|data-confirm|data-on|data-off"  # attributes that are read or spoken
OWN_BLOCKS = {"blocktranslate", "comment", "verbatim"}
TRANSLATED = {"gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "_"}  # `make messages` finds them
LOG = {"debug", "info", "warning", "error", "exception", "critical"}
# What programmers and operators read: mistakes in a call, settings and commands. It stays English, as logs do.
ENGLISH = {"AttributeError", "CommandError", "ImproperlyConfigured", "RuntimeError", "SystemExit", "ValueError"}
ENGINE = ("engine", "engine/learn", "engine/nets")
WORK = ("interpolation/runner.py", "interpolation/reaper.py", "interpolation/tasks.py", "interpolation/hooks.py",
        "training/runner.py", "training/reaper.py", "training/tasks.py")  # fmt: skip
SITE = tuple(f"frameinterp_site/{name}.py" for name in (
    "api", "fulldisk", "health", "holds", "idempotency", "lockout", "problem_views", "problems", "uploads"
))  # fmt: skip
SPOKEN = (
    "interpolation/views",
    "interpolation/*form*.py",
    "interpolation/access.py",
    "interpolation/admin*.py",
    "interpolation/models/people.py",
    "interpolation/services/options.py",
    "training/admin.py",
    "training/[vfp]*.py",
    *ENGINE,
    *WORK,
    *SITE,
)
KEPT = {  # programs that are copied, entries of logs, names that are stored
    "interpolation/views/recipes.py": None,
    "interpolation/views/results.py": {"loading the model"},
    "training/promotion.py": {" the default model: "},
    "training/tasks.py": {"held back by an administrator"},
    "interpolation/runner.py": {"loading the model"},
    "engine/bench.py": None,
    "engine/bench_clip.py": None,
    "engine/bench_pipeline.py": None,
    "engine/media_types.py": {"Flash video"},
    "engine/picture_film.py": {"true middle picture"},
    "frameinterp_site/fulldisk.py": {"No space left on device", "disk is full"},
    "frameinterp_site/holds.py": {" (sudo by ", "no reason given", "workers held: ", "workers released: "},
}
REFUSING = (
    "interpolation/*.py",
    "interpolation/api",
    "interpolation/services",
    "interpolation/views",
    "training/*.py",
    *ENGINE,
    *SITE,
)


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


def called(node: ast.Call) -> str:
    return str(getattr(node.func, "id", getattr(node.func, "attr", "")))


def is_refusal(node: ast.AST) -> TypeGuard[ast.Call]:
    """Whether an error is made of words here, as by `ServiceError("...")`."""
    known = {"Http404", "NotFound", "PermissionDenied", "SystemExit", "UnsupportedMediaType"}
    return isinstance(node, ast.Call) and bool(node.args) and (called(node).endswith("Error") or called(node) in known)


def bare_refusals(code: str) -> list[str]:
    """Sentences that are raised without gettext, or made into an error for somebody else to raise."""
    found = list[str]()
    for node in ast.walk(ast.parse(code)):
        if not is_refusal(node) or called(node) in ENGLISH:
            continue
        inside = list(ast.walk(node.args[0]))
        if any(isinstance(one, ast.Call) and getattr(one.func, "id", "") in TRANSLATED for one in inside):
            continue
        found += [
            one.value
            for one in inside
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value.count(" ") > 1
        ]
    return found


def unread_texts(code: str) -> list[str]:
    """What is handed to gettext and is in no catalogue: a text with its values already in it, and one inside an
    f-string, where the collector does not look."""
    tree = ast.parse(code)
    inside = {id(one) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for one in ast.walk(node)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TRANSLATED:
            text = node.args[0]
            formatted = isinstance(text, ast.Call) and called(text) == "format"
            hidden = isinstance(text, ast.Constant) and id(node) in inside
            if formatted or hidden or isinstance(text, (ast.JoinedStr, ast.BinOp)):
                found.append(ast.unparse(text))
    return found


def bare_strings(code: str) -> list[str]:
    """Words in a module of texts: labels, choices, messages; whole or as pieces between values of an f-string."""
    tree, silent = ast.parse(code), set[int]()

    def pass_over(*nodes: ast.AST) -> None:
        silent.update(id(one) for node in nodes for one in ast.walk(node))

    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = called(node)
            logged = name in LOG and getattr(getattr(node.func, "value", None), "id", "") in ("log", "logger")
            if name in TRANSLATED | ENGLISH or name == "job_say" or logged:
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
    files = [file for path in found for file in (sorted(path.glob("*.py")) if path.is_dir() else [path])]
    return [file for file in files if KEPT.get(str(file.relative_to(ROOT)), set()) is not None]


def test_labels_choices_and_messages_can_be_translated() -> None:
    bare = {}
    files = files_of(*SPOKEN)
    assert len(files) > 110
    for file in files:
        name = str(file.relative_to(ROOT))
        if words := set(bare_strings(file.read_text())) - (KEPT.get(name) or set()):
            bare[name] = words
    assert bare == {}


def test_gettext_is_called_by_a_name_that_the_collector_of_messages_knows() -> None:
    names = {
        one.asname or one.name
        for file in files_of("interpolation/**/*.py", "training/**/*.py", "frameinterp_site/**/*.py", "engine/**/*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module in ("django.utils.translation", "translation")
        for one in node.names
        if "gettext" in one.name
    }
    assert names == TRANSLATED


def test_what_is_handed_to_gettext_is_a_text_that_the_collector_can_read() -> None:
    files = files_of("interpolation/**/*.py", "training/**/*.py", "frameinterp_site/**/*.py", "engine/**/*.py")
    bad = {str(file.relative_to(ROOT)): unread_texts(file.read_text()) for file in files}
    assert {name: texts for name, texts in bad.items() if texts} == {}


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
    assert len(files) > 150
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
    assert bare_refusals('return BadInputError(f"{name} is no picture.")') == [" is no picture."]
    assert unread_texts(
        """_("One"), _(f"{n} is it"), _("{n} is it".format(n=1)), _("two" + n), f"{_('three')}" """
    ) == [
        "f'{n} is it'",
        "'{n} is it'.format(n=1)",
        "'two' + n",
        "'three'",
    ]
    assert bare_refusals('raise ValueError("for whoever calls this")') == []
    assert bare_refusals('raise ServiceError(_("Choose a %(kind)s now.") % {"kind": 1})') == []


def test_scripts_get_their_words_in_the_language_of_the_page(client: Client) -> None:
    answer = client.get("/words.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert "django.gettext" in answer.content.decode()
    assert '<script src="/words.js" defer>' in client.get("/help/").content.decode()
