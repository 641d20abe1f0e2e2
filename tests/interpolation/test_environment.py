"""Settings come from the environment; what cannot be read stops the start with its name."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from frameinterp_site import env


@pytest.mark.parametrize(("text", "value"), [("1", True), ("Yes", True), ("off", False), ("0", False), ("", True)])
def test_booleans(monkeypatch: pytest.MonkeyPatch, text: str, value: bool) -> None:
    monkeypatch.setenv("INBETWEEN_X", text)
    assert env.envbool("INBETWEEN_X", True) is value


def test_lists_and_paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INBETWEEN_X", " a, b ,,c")
    assert env.envlist("INBETWEEN_X") == ["a", "b", "c"]
    monkeypatch.setenv("INBETWEEN_X", str(tmp_path / "y" / ".." / "z"))
    assert env.envpath("INBETWEEN_X", Path("/")) == tmp_path / "z"


@pytest.mark.parametrize(
    ("reader", "text", "words"),
    [
        (lambda: env.envbool("INBETWEEN_X", True), "maybe", 'INBETWEEN_X="maybe" is neither yes nor no'),
        (lambda: env.envint("INBETWEEN_X", 1), "many", 'INBETWEEN_X="many" is not a whole number'),
        (lambda: env.envint("INBETWEEN_X", 1, 1), "0", "INBETWEEN_X=0 is too small. The least is 1"),
        (lambda: env.envfloat("INBETWEEN_X", 1.0), "nan", "INBETWEEN_X=nan is too small"),
        (lambda: env.cache("memcached", Path("/")), "", 'INBETWEEN_CACHE="memcached" is not a cache'),
        (lambda: env.database("mysql://x/y", Path("/")), "", '"mysql" is not supported'),
    ],
)
def test_what_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, reader: object, text: str, words: str) -> None:
    monkeypatch.setenv("INBETWEEN_X", text)
    with pytest.raises(ImproperlyConfigured, match=words):
        reader()  # type: ignore[operator]


def test_postgresql_addresses_are_taken_apart() -> None:
    found = env.database("postgresql://ann:p%40ss@db.example:5433/in%2Fbetween?sslmode=require", Path("/data"))
    assert found["ENGINE"] == "django.db.backends.postgresql"
    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"], found["NAME"]) == (
        "ann", "p@ss", "db.example", "5433", "in/between",
    )  # fmt: skip
    assert found["OPTIONS"] == {"sslmode": "require"}


def test_sqlite_is_the_default_and_is_tuned_for_several_writers() -> None:
    found = env.database("", Path("/data"))
    assert found["NAME"] == Path("/data/db.sqlite3")
    assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in found["OPTIONS"]["init_command"]
    assert env.database("sqlite:///other.sqlite3", Path("/data"))["NAME"] == Path("/data/other.sqlite3")
    assert env.database("sqlite:////abs/x.sqlite3", Path("/data"))["NAME"] == Path("/abs/x.sqlite3")


def test_the_secret_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "fresh" / ".secret_key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: env.secret_key(path), range(8)))
    assert len(keys) == 1
    assert len(keys.pop()) >= 50
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == [".secret_key"]


def test_a_spoilt_secret_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("short")
    with pytest.raises(ImproperlyConfigured, match="does not hold a secret key"):
        env.secret_key(tmp_path / "key")


@pytest.mark.slow
def test_the_data_folder_may_be_new(tmp_path: Path) -> None:
    environment = {**os.environ, "INBETWEEN_DATA": str(tmp_path / "new" / "data")}
    environment.pop("INBETWEEN_DATABASE", None)
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=django_settings.BASE_DIR, env=environment, check=True, capture_output=True)
    assert (tmp_path / "new" / "data" / "db.sqlite3").is_file()


@pytest.mark.django_db
def test_migrations_are_complete() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
