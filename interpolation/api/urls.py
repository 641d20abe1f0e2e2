"""Addresses under /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from .views import JobViewSet, ModelsView, ProjectViewSet, SourceViewSet, TokenView

router = SimpleRouter()
router.register("projects", ProjectViewSet)
router.register("sources", SourceViewSet)
router.register("jobs", JobViewSet)

urlpatterns = [
    *router.urls,
    path("models/", ModelsView.as_view(), name="api-models"),
    path("token/", TokenView.as_view(), name="api-token"),
]
