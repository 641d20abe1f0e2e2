"""`.env.example` says what the code does, and `.env` is read as it looks."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from frameinterp_site.dotenv import load, parse

from .portal import REPOSITORY

READERS = {"envstr", "envbool", "envint", "envfloat", "envlist", "envpath"}
PACKAGES = ("engine", "interpolation", "training", "frameinterp_site")
INTERNAL = {"INBETWEEN_PARENT_PID", "INBETWEEN_JOB_ID", "INBETWEEN_RUN_ID"}  # from a process to its child


def calls() -> list[ast.Call]:
    files = [file for package in PACKAGES for file in (REPOSITORY / package).rglob("*.py")]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    return [node for node in nodes if node.args and name_of(node.args[0])]


def name_of(argument: ast.expr) -> str:
    """The setting that an argument names, or ""."""
    value = argument.value if isinstance(argument, ast.Constant) else None
    return value if isinstance(value, str) and value.startswith("INBETWEEN_") and value not in INTERNAL else ""


def function(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def read_by_code() -> dict[str, str | None]:
    """Name to default, as it would be written in a file; None where the default is worked out."""
    found: dict[str, str | None] = {}
    for call in calls():
        if function(call) in {*READERS, "get", "getenv"}:
            default = call.args[1] if len(call.args) > 1 else ast.Constant("")
            found[name_of(call.args[0])] = written(default)
    return found


def written(default: ast.expr) -> str | None:
    try:
        value = eval(ast.unparse(default), {"__builtins__": {}})
    except NameError:
        return None
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def in_the_example() -> dict[str, str]:
    lines = (REPOSITORY / ".env.example").read_text().splitlines()
    return parse("\n".join(line[1:] for line in lines if line.startswith("#INBETWEEN_")), Path(".env.example"))


def test_the_example_lists_every_setting_the_code_reads_and_no_other() -> None:
    assert set(in_the_example()) == set(read_by_code())


def test_the_example_shows_the_defaults() -> None:
    known = {name: default for name, default in read_by_code().items() if default is not None}
    assert {name: value for name, value in in_the_example().items() if name in known} == known


def test_the_readme_names_only_settings_that_exist() -> None:
    words = (REPOSITORY / "README.md").read_text().replace("`", " ").replace("=", " ").split()
    named = {word.strip(".,:;()|") for word in words if word.startswith("INBETWEEN_")}
    assert named and named <= set(in_the_example())


def test_lines_are_read_with_comments_quotes_and_export() -> None:
    text = "# a comment\n\nA=1\nexport B = two words  # why\nC='a # b'\nD=\"x=y\"\nE=\n"
    assert parse(text, Path(".env")) == {"A": "1", "B": "two words", "C": "a # b", "D": "x=y", "E": ""}


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("OPS_TEST_A=file\nOPS_TEST_B=file\n")
    monkeypatch.setenv("OPS_TEST_A", "environment")
    monkeypatch.setenv("OPS_TEST_B", "to be removed by the fixture")
    monkeypatch.delenv("OPS_TEST_B")
    load(tmp_path / ".env")
    assert (os.environ["OPS_TEST_A"], os.environ["OPS_TEST_B"]) == ("environment", "file")


def test_a_line_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nPORT 8000\n")
    with pytest.raises(SystemExit, match=r"\.env, line 2: not of the form NAME=value: PORT 8000"):
        load(tmp_path / ".env")
