from django.apps import AppConfig
from django.utils.translation import gettext, ngettext

from engine import translation


class SiteConfig(AppConfig):
    name = "frameinterp_site"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """In every process of the portal: web server, workers, their children, commands."""
        translation.install(gettext, ngettext)
