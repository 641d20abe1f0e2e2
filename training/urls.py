"""Addresses of the training pages, under /training/."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.training, name="training"),
    path("new/", views.training_new, name="training-new"),
    path("compare/", views.training_compare, name="training-compare"),
    path("<uuid:pk>/pictures/", views.training_pictures, name="training-pictures"),
    path("<uuid:pk>/pictures/<path:name>", views.training_picture, name="training-picture"),
    path("<uuid:pk>/promote/", views.training_promote, name="training-promote"),
    path("<uuid:pk>/", views.training_run, name="training-run"),
    path("<uuid:pk>/status/", views.training_status, name="training-status"),
    path("<uuid:pk>/cancel/", views.training_cancel, name="training-cancel"),
    path("<uuid:pk>/resume/", views.training_resume, name="training-resume"),
]
