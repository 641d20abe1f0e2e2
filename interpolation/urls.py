"""Pages of projects, sources and jobs."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
