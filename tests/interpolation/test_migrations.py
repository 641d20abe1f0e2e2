"""What is in a database of an earlier version is still good after the migration."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.utils import timezone
from knox.crypto import hash_token

from interpolation.models import ApiToken

OLD = "old"


@pytest.fixture
def old(db: None, tmp_path: Path) -> Iterator[Any]:
    """A database as it was before tokens had a name and a scope, with two users."""
    settings = {**connections["default"].settings_dict, "ENGINE": "django.db.backends.sqlite3", "OPTIONS": {}}
    connections.databases[OLD] = settings | {"NAME": str(tmp_path / "old.sqlite3"), "ATOMIC_REQUESTS": False}
    connections[OLD].connect()  # not left to the first query, which tests may only make to the default database
    try:
        migrate("auth")
        migrate("knox")
        migrate("interpolation", "0003")
        User(pk=71, username="ada", password="!").save(using=OLD)
        User(pk=72, username="ben", password="!").save(using=OLD)
        yield connections[OLD]
    finally:
        connections[OLD].close()
        del connections[OLD], connections.databases[OLD]


def migrate(*names: str) -> None:
    call_command("migrate", *names, database=OLD, verbosity=0)


def keep_token(old: Any, token: str, user: int, expiry: datetime | None) -> None:
    """A row as knox wrote it then."""
    columns = "digest, token_key, user_id, created, expiry"
    row = (hash_token(token), token[:15], user, datetime(2026, 3, 1, 12, tzinfo=UTC), expiry)
    with old.cursor() as cursor:
        cursor.execute(f"INSERT INTO knox_authtoken ({columns}) VALUES (%s, %s, %s, %s, %s)", row)


def test_tokens_made_before_they_had_a_scope_go_on_to_work_until_they_expire(old: Any) -> None:
    good, endless, over = ("a" * 63 + "1", "b" * 63 + "2", "c" * 63 + "3")
    later = timezone.now().replace(microsecond=123456) + timedelta(days=30)
    keep_token(old, good, 71, later)
    keep_token(old, endless, 72, None)
    keep_token(old, over, 71, timezone.now() - timedelta(days=1))
    migrate("interpolation")
    rows = {row.digest: row for row in ApiToken.objects.using(OLD)}
    assert set(rows) == {hash_token(token) for token in (good, endless, over)}
    kept = rows[hash_token(good)]
    assert (kept.token_key, kept.user_id, kept.expiry, kept.name) == ("a" * 15, 71, later, "")
    assert (kept.scope, kept.last_used_at) == (ApiToken.Scope.WRITE, None)
    assert rows[hash_token(endless)].expiry is None
    assert {row.created for row in rows.values()} == {datetime(2026, 3, 1, 12, tzinfo=UTC)}

    for user in User.objects.using(OLD):  # the portal of this test works on the default database
        user.save(using="default", force_insert=True)
    ApiToken.objects.bulk_create(rows.values())
    assert [made_by(token) for token in (good, endless, over)] == [201, 201, 401]


def test_somebody_whose_old_token_was_kept_can_be_deleted(old: Any) -> None:
    """Nothing is left in knox's own table that points to them, where Django would not look for it."""
    keep_token(old, "a" * 64, 71, None)
    migrate()
    User.objects.using(OLD).get(pk=71).delete()
    old.check_constraints()
    assert list(User.objects.using(OLD).values_list("username", flat=True)) == ["ben"]
    assert not ApiToken.objects.using(OLD).exists()


def made_by(token: str) -> int:
    """What a call that changes something is answered."""
    client = Client(headers={"Authorization": f"Token {token}"})
    return client.post("/api/v1/projects/", {"name": "by an old token"}, "application/json").status_code


def test_a_database_without_tokens_of_knox_is_migrated_too(old: Any) -> None:
    with old.cursor() as cursor:
        cursor.execute("DROP TABLE knox_authtoken")
    migrate("interpolation")
    assert not ApiToken.objects.using(OLD).exists()
