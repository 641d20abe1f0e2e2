"""`manage.py create_token USER`: an API token, for scripts. Printed once; only its digest is kept."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from interpolation.services import token_create


class Command(BaseCommand):
    help = "Print a new API token of a user."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the user's name")

    def handle(self, *args: Any, **options: Any) -> None:
        users = get_user_model()
        try:
            user = users.objects.get_by_natural_key(options["user"])
        except users.DoesNotExist as error:
            raise CommandError(f'There is no user "{options["user"]}".') from error
        except DatabaseError as error:
            place = settings.DATABASES["default"]["NAME"]
            words = "Is INBETWEEN_DATA (or INBETWEEN_DATABASE) that of the portal, and has the portal been started?"
            raise CommandError(f"The database {place} does not answer as a portal's: {error}. {words}") from error
        if not user.is_active:
            raise CommandError(f'The account "{options["user"]}" is closed.')
        _, token = token_create(user=user, name="made by manage.py create_token")
        self.stdout.write(token)
