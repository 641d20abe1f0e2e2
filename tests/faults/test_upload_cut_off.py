"""An upload that stops half-way leaves nothing behind."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from knox.models import get_token_model
from pytest_django.live_server_helper import LiveServer

from interpolation.models import Project, Source

from .conftest import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
BOUNDARY = "cut-here"
DECLARED = 50 * 1024 * 1024  # bytes announced
SENT = 6 * 1024 * 1024  # bytes sent before the line goes dead


def head(address: str, host: str, extra: str) -> bytes:
    return (
        f"POST {address} HTTP/1.1\r\nHost: {host}\r\n{extra}"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {DECLARED}\r\n\r\n"
    ).encode()


def field(name: str, value: str) -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def file_start(name: str) -> bytes:
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="x.mp4"\r\n'
        "Content-Type: video/mp4\r\n\r\n"
    ).encode()


def cut_off(server: LiveServer, request: bytes, media_root: Path) -> None:
    """Sends the beginning, sees it arrive in a temporary file, then hangs up."""
    where = urlsplit(server.url)
    with socket.create_connection((where.hostname or "", where.port or 0)) as line:
        line.sendall(request)
        line.sendall(b"\0" * SENT)
        arriving = media_root / "incoming"
        wait_for(lambda: any(path.stat().st_size > 0 for path in arriving.iterdir()), 10, "the upload to arrive")
    wait_for(lambda: not any(arriving.iterdir()), 10, "the half upload to be removed")


def nothing_is_left(media_root: Path) -> None:
    time.sleep(0.3)  # for anything that would still be written
    assert not Source.objects.exists()
    assert [path for path in media_root.rglob("*") if path.is_file()] == []


def test_through_the_api(live_server: LiveServer, alice: User, project: Project, media_root: Path) -> None:
    _, token = get_token_model().objects.create(alice)
    request = head("/api/v1/sources/", urlsplit(live_server.url).netloc, f"Authorization: Token {token}\r\n")
    cut_off(live_server, request + field("project", str(project.pk)) + file_start("video"), media_root)
    nothing_is_left(media_root)


def test_through_the_page(live_server: LiveServer, alice: User, project: Project, media_root: Path) -> None:
    client = Client()
    client.force_login(alice)
    client.get(f"/projects/{project.pk}/")  # sets the cookie of the form's token
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    netloc = urlsplit(live_server.url).netloc
    request = head(f"/projects/{project.pk}/sources/", netloc, f"Cookie: {cookies}\r\n")
    token = client.cookies["csrftoken"].value
    request += field("csrfmiddlewaretoken", token) + file_start("files")
    cut_off(live_server, request, media_root)
    nothing_is_left(media_root)
