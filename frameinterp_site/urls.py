"""All addresses of the portal."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.cache import cache_control
from django.views.i18n import JavaScriptCatalog
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from . import operators
from .health import health, healthz, readyz
from .notices import notices
from .problem_views import OneProblem, Problems, Unknown

admin.site.site_header = admin.site.site_title = "Inbetween"

urlpatterns = [
    path("admin/status/", admin.site.admin_view(operators.status_page), name="operator-status"),
    path("admin/status/hold/", admin.site.admin_view(operators.hold_add), name="operator-hold"),
    path("admin/status/hold/<int:pk>/release/", admin.site.admin_view(operators.hold_remove), name="operator-release"),
    path("admin/status/forget/<int:pk>/", admin.site.admin_view(operators.worker_forget), name="operator-forget"),
    path("admin/", admin.site.urls),
    path("words.js", cache_control(private=True, max_age=3600)(JavaScriptCatalog.as_view()), name="words"),
    path("health/", health, name="health"),
    path("notices/", notices, name="notices"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("api/v1/", include("interpolation.api.urls")),
    path("api/v1/", include("training.api")),
    path("api/v1/problems/", Problems.as_view(), name="api-problems"),
    path("api/v1/problems/<slug:code>/", OneProblem.as_view(), name="api-problem"),
    path("api/v1/", Unknown.as_view(), name="api-unknown"),
    path("api/v1/<path:anything>", Unknown.as_view(), name="api-unknown"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api-docs"),
    path("training/", include("training.urls")),
    path("", include("interpolation.media_urls")),
    path("", include("interpolation.urls")),
]
