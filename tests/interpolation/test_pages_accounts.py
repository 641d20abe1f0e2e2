"""Signing up, in and out, tokens, passwords."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from interpolation.models import ApiToken

from .pages import person, source_of

pytestmark = pytest.mark.django_db

NEW = {"username": "carol", "password1": "correct-horse-9", "password2": "correct-horse-9"}


def test_signing_up_signs_in_and_leads_to_the_projects(client: Client) -> None:
    answer = client.post(reverse("sign-up"), NEW)
    assert answer.headers["Location"] == reverse("projects")
    assert client.get(reverse("projects")).status_code == 200


def test_passwords_that_differ_are_refused_and_the_name_is_kept(client: Client) -> None:
    answer = client.post(reverse("sign-up"), NEW | {"password2": "another-horse-9"})
    assert answer.status_code == 422
    assert 'value="carol"' in answer.content.decode()
    assert not User.objects.exists()


def test_sign_up_can_be_switched_off(client: Client, settings) -> None:
    settings.SIGNUP = False
    assert client.get(reverse("sign-up")).status_code == 404
    assert client.post(reverse("sign-up"), NEW).status_code == 404
    assert reverse("sign-up") not in client.get(reverse("sign-in")).content.decode()
    assert not User.objects.exists()


def test_signing_in_leads_back_to_the_page_that_was_asked_for(client: Client) -> None:
    person("alice")
    form = {"username": "alice", "password": "correct-horse-9", "next": reverse("queue")}
    assert client.post(reverse("sign-in"), form).headers["Location"] == reverse("queue")


def test_signing_in_never_leads_to_another_site(client: Client) -> None:
    person("alice")
    form = {"username": "alice", "password": "correct-horse-9", "next": "https://evil.example/"}
    assert client.post(reverse("sign-in"), form).headers["Location"] == reverse("projects")


def test_a_new_token_is_shown_once_and_works(client: Client) -> None:
    client.force_login(person("alice"))
    page = client.post(reverse("token-create")).content.decode()
    found = re.search(r'id="new-token" value="([0-9a-f]+)"', page)
    assert found
    assert found[1] not in client.get(reverse("account")).content.decode()
    answer = Client().get("/api/v1/jobs/", headers={"Authorization": f"Token {found[1]}"})
    assert answer.status_code == 200


def test_only_ones_own_tokens_can_be_revoked(client: Client) -> None:
    token, _ = ApiToken.objects.create(user=person("bob"))
    alice = person("alice")
    mine, _ = ApiToken.objects.create(user=alice)
    client.force_login(alice)
    assert client.post(reverse("token-revoke", args=[token.pk])).status_code == 404
    assert client.post(reverse("token-revoke", args=[mine.pk])).status_code == 302
    assert list(ApiToken.objects.all()) == [token]


def test_the_password_changes_and_one_stays_signed_in(client: Client) -> None:
    client.force_login(person("alice"))
    form = {"old_password": "correct-horse-9", "new_password1": "battery-staple-7", "new_password2": "battery-staple-7"}
    client.post(reverse("password-change"), form)
    assert User.objects.get().check_password("battery-staple-7")
    assert client.get(reverse("account")).status_code == 200


def test_a_wrong_old_password_changes_nothing(client: Client) -> None:
    client.force_login(person("alice"))
    form = {"old_password": "wrong", "new_password1": "battery-staple-7", "new_password2": "battery-staple-7"}
    assert client.post(reverse("password-change"), form).status_code == 422
    assert User.objects.get().check_password("correct-horse-9")


def test_the_account_says_how_much_room_the_files_take(client: Client, settings, tmp_path) -> None:
    settings.MEDIA_ROOT = tmp_path
    alice = person("alice")
    source = source_of(alice)
    source.size_bytes = 3 * 1024 * 1024
    source.save(update_fields=["size_bytes"])
    client.force_login(alice)
    assert "3.0\xa0MB" in client.get(reverse("account")).content.decode()
