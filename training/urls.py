"""Pages of training, under /training/."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
