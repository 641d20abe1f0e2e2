"""What a browser may keep: no page of somebody signed in, so that going back shows what is there now."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from .pages import person

pytestmark = pytest.mark.django_db


def kept(client: Client, address: str) -> str:
    return client.get(address).headers.get("Cache-Control", "")


@pytest.mark.parametrize("name", ["projects", "history", "queue", "models", "metrics", "account", "help"])
def test_no_page_of_somebody_signed_in_is_kept(client: Client, name: str) -> None:
    assert "no-store" not in kept(client, reverse("help"))
    client.force_login(person("alice"))
    assert "no-store" in kept(client, reverse(name)) and "private" in kept(client, reverse(name))


def test_the_page_that_signs_in_or_out_is_not_kept_either(client: Client) -> None:
    client.force_login(person("bob"))
    answer = client.post(reverse("sign-out"))
    assert answer.status_code == 302 and "no-store" in answer.headers["Cache-Control"]


def test_what_is_no_page_says_for_itself_how_long_it_keeps(client: Client) -> None:
    client.force_login(person("alice"))
    assert kept(client, reverse("words")) == "private, max-age=3600"
    assert "no-store" not in client.get("/api/v1/jobs/").headers.get("Cache-Control", "")
