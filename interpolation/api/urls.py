"""Addresses under /api/v1/."""

from typing import Any

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from .account import AccountView, TokenView, TokenViewSet
from .bakeoffs import BakeOffViewSet
from .deleted import DeletedView, RestoreView
from .jobs import JobViewSet
from .queue import QueueView
from .trials import PresetViewSet, TrialViewSet
from .uploads import UploadViewSet
from .views import ModelsView, ProjectViewSet, SourceViewSet
from .webhooks import WebhookViewSet

router = SimpleRouter()
router.register("projects", ProjectViewSet, basename="api-project")
router.register("sources", SourceViewSet, basename="api-source")
router.register("jobs", JobViewSet, basename="api-job")
router.register("presets", PresetViewSet, basename="api-preset")
router.register("trials", TrialViewSet, basename="api-trial")
router.register("bake-offs", BakeOffViewSet, basename="api-bakeoff")
router.register("webhooks", WebhookViewSet, basename="api-webhook")
router.register("tokens", TokenViewSet, basename="api-tokens")
UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

BY_PIECES: dict[str, Any] = {
    "get": "retrieve",
    "head": "head",
    "post": "overridden",
    "patch": "partial_update",
    "delete": "destroy",
}

urlpatterns = [
    *router.urls,
    path("uploads/", UploadViewSet.as_view({"get": "list", "post": "create"}), name="api-upload-list"),
    path("uploads/<uuid:pk>/", UploadViewSet.as_view(BY_PIECES), name="api-upload-detail"),
    path("models/", ModelsView.as_view(), name="api-models"),
    path("queue/", QueueView.as_view(), name="api-queue"),
    path("account/", AccountView.as_view(), name="api-account"),
    path("deleted/", DeletedView.as_view(), name="api-deleted"),
    re_path(
        f"^deleted/(?P<kind>project|source|job)/(?P<id>{UUID})/restore/$", RestoreView.as_view(), name="api-restore"
    ),
    path("token/", TokenView.as_view(), name="api-token"),
]
