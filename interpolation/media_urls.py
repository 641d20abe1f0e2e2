"""Addresses of files."""

from django.urls import path

from .media import job_download, media

urlpatterns = [
    path("media/<path:path>", media, name="media"),
    path("jobs/<uuid:pk>/download/<str:what>/", job_download, name="job-download"),
]
