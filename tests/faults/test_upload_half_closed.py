"""A line that is closed for sending half-way through an upload: the answer says that, and nothing is kept."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from knox.models import get_token_model
from pytest_django.live_server_helper import LiveServer

from interpolation.models import Project

from .test_upload_cut_off import field, file_start, head, nothing_is_left

pytestmark = pytest.mark.django_db(transaction=True)
SENT = 3 * 1024 * 1024
WORDS = r"The upload broke off: 3\.0 MB of 50\.0 MB arrived\. Nothing was kept\. Send it again\."


def answer(server: LiveServer, request: bytes, sent: int = SENT) -> tuple[int, str]:
    """Sends it, closes the line for sending, and reads what comes back."""
    where = urlsplit(server.url)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=20) as line:
        line.sendall(request + b"\0" * sent)
        line.shutdown(socket.SHUT_WR)
        received = b""
        while piece := line.recv(65536):
            received += piece
    start, _, body = received.partition(b"\r\n\r\n")
    return int(start.split()[1]), body.decode()


@pytest.fixture
def signed_in(alice: User, project: Project) -> Client:
    client = Client()
    client.force_login(alice)
    client.get(f"/projects/{project.pk}/")  # sets the cookie of the form's token
    return client


def form(client: Client, server: LiveServer, project: Project, accept: str) -> bytes:
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    netloc = urlsplit(server.url).netloc
    extra = f"Cookie: {cookies}\r\nAccept: {accept}\r\nReferer: {server.url}/projects/{project.pk}/\r\n"
    return head(f"/projects/{project.pk}/sources/", netloc, extra + "Connection: close\r\n")


def test_the_script_of_the_page_is_told(
    live_server: LiveServer, signed_in: Client, project: Project, media_root: Path
) -> None:
    request = form(signed_in, live_server, project, "application/json")
    token = field("csrfmiddlewaretoken", signed_in.cookies["csrftoken"].value)
    status, body = answer(live_server, request + token + file_start("footage"))
    assert status == 400
    assert re.fullmatch(WORDS, json.loads(body)["errors"][0])
    nothing_is_left(media_root)


def test_a_form_of_which_nothing_arrived_is_no_form_that_is_out_of_date(
    live_server: LiveServer, signed_in: Client, project: Project, media_root: Path
) -> None:
    status, body = answer(live_server, form(signed_in, live_server, project, "application/json"), sent=0)
    assert status == 400
    assert json.loads(body)["errors"][0].startswith("The upload broke off: 0 bytes of 50.0 MB arrived.")
    nothing_is_left(media_root)


def test_a_plain_form_goes_back_to_its_page_with_the_words(
    live_server: LiveServer, signed_in: Client, project: Project, media_root: Path
) -> None:
    request = form(signed_in, live_server, project, "text/html")
    token = field("csrfmiddlewaretoken", signed_in.cookies["csrftoken"].value)
    status, _ = answer(live_server, request + token + file_start("footage"))
    assert status == 302
    nothing_is_left(media_root)


@pytest.mark.parametrize("part", ["of the file", "of the head of the file", "of a second file"])
def test_a_script_is_told(live_server: LiveServer, alice: User, project: Project, media_root: Path, part: str) -> None:
    _, token = get_token_model().objects.create(alice)
    extra = f"Authorization: Token {token}\r\nConnection: close\r\n"
    request = head("/api/v1/sources/", urlsplit(live_server.url).netloc, extra) + field("project", str(project.pk))
    beginning = {
        "of the file": file_start("video"),
        "of the head of the file": file_start("video")[:40],
        "of a second file": file_start("frame1") + b"x" * 2_000_000 + b"\r\n" + file_start("frame2"),
    }[part]
    status, body = answer(live_server, request + beginning, 0 if "head" in part else SENT)
    assert status == 400
    assert "The upload broke off:" in json.loads(body)["detail"]
    nothing_is_left(media_root)
