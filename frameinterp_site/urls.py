"""All addresses of the portal."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("training/", include("training.urls")),
    path("", include("interpolation.urls")),
]
