"""Static files: the big ones of our own are sent compressed, and always as they are now."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from pytest_django.fixtures import Settings

from frameinterp_site.static import compress_static, twin_of


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Path:
    settings.BASE_DIR, settings.STATIC_ROOT = tmp_path, tmp_path / "collected"
    (tmp_path / "static").mkdir()
    return tmp_path / "static"


def test_a_stylesheet_has_a_twin_and_a_changed_one_another(own: Path) -> None:
    sheet = own / "a.css"
    sheet.write_text("a { color: red }\n" * 200)
    assert compress_static() == 1
    first = twin_of(sheet)
    assert first and gzip.decompress(first.read_bytes()) == sheet.read_bytes()
    assert compress_static() == 0
    sheet.write_text("b { color: blue }\n" * 300)
    assert compress_static() == 1
    second = twin_of(sheet)
    assert second and gzip.decompress(second.read_bytes()) == sheet.read_bytes()
    assert not first.exists()


def test_pictures_and_small_files_and_those_of_others_are_sent_as_they_are(own: Path, tmp_path: Path) -> None:
    for path, size in ((own / "a.webp", 5000), (own / "small.css", 100), (tmp_path / "other.css", 5000)):
        path.write_bytes(b"x" * size)
        assert twin_of(path) is None


def test_the_browser_gets_the_small_one(db: None) -> None:
    compress_static()
    plain = settings.BASE_DIR / "static" / "vendor" / "bootstrap" / "bootstrap.min.css"
    answer = Client().get("/static/vendor/bootstrap/bootstrap.min.css", headers={"Accept-Encoding": "gzip, br"})
    sent = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(sent) == plain.read_bytes()
    whole = Client().get("/static/vendor/bootstrap/bootstrap.min.css")
    assert b"".join(whole.streaming_content) == plain.read_bytes()  # type: ignore[attr-defined]


def test_no_page_allows_inline_styles_or_eval(db: None) -> None:
    policy = Client().get("/help/").headers["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))  # they come in any order
    assert (rules["style-src"], rules["script-src"]) == ("'self'", "'self'")
    assert "unsafe" not in policy
