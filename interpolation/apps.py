from django.apps import AppConfig


class InterpolationConfig(AppConfig):
    name = "interpolation"
    default_auto_field = "django.db.models.BigAutoField"
