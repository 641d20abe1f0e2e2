"""`make` as a newcomer meets it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .portal import REPOSITORY

NEEDED = ("Makefile", "requirements.txt", "requirements-dev.txt")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in NEEDED:
        shutil.copy(REPOSITORY / name, tmp_path)
    return tmp_path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As from a terminal: nothing is left of the `make test` that may have started us."""
    env = {name: value for name, value in os.environ.items() if name not in ("MAKELEVEL", "MAKEFLAGS", "MFLAGS")}
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60
    )


def python_of_version(path: Path, version: str) -> None:
    path.write_text(f"#!/bin/sh\necho {version}\n")
    path.chmod(0o755)


def test_a_wrong_python_gets_one_clear_line(clone: Path) -> None:
    python_of_version(clone / "python3.9", "3.9")
    done = make(clone, "setup", "PYTHON=./python3.9")
    assert done.returncode == 2
    first, *rest = done.stderr.splitlines()
    assert first.startswith("Inbetween needs Python 3.11 (./python3.9 is 3.9). Install it (Debian, Ubuntu: apt-get")
    assert first.endswith("or name it: make setup PYTHON=/path/to/python3.11")
    assert [line.startswith("make: ***") for line in rest] == [True]
    assert not (clone / ".venv").exists()


def test_no_python_at_all_gets_the_same_line(clone: Path) -> None:
    done = make(clone, "setup", "PYTHON=./nowhere")
    assert done.stderr.startswith("Inbetween needs Python 3.11 (none found).")


def test_packages_that_cannot_be_had_are_said_in_one_line_and_tried_again_next_time(clone: Path) -> None:
    (clone / "requirements-dev.txt").write_text("no-such-package-of-ours @ file:///nowhere.whl\n")
    (clone / ".venv" / "bin").mkdir(parents=True)
    done = make(clone, "setup", f"PYTHON={sys.executable}")
    assert done.returncode == 2
    assert "The packages could not be installed" in done.stderr
    assert not (clone / ".venv" / ".ready").exists()


def test_a_second_setup_takes_milliseconds() -> None:
    """In the folder that these tests run in, which `make test` has set up."""
    if make(REPOSITORY, "setup").returncode:
        pytest.fail("make setup does not work here")
    begun = time.monotonic()
    done = make(REPOSITORY, "setup")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert time.monotonic() - begun < 1.0


def test_make_alone_lists_the_targets() -> None:
    text = make(REPOSITORY).stdout
    assert all(f"  {name} " in text for name in ("setup", "up", "test", "check", "format", "clean"))
