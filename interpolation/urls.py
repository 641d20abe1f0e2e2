"""Addresses of the pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from .views import accounts, deleted, jobs, parts, projects, sharing, site

urlpatterns = [
    path("", projects.home, name="home"),
    path("projects/", projects.projects, name="projects"),
    path("projects/new/", projects.project_new, name="project-new"),
    path("projects/<uuid:pk>/", projects.project, name="project"),
    path("projects/<uuid:pk>/delete/", projects.project_delete, name="project-delete"),
    path("projects/<uuid:pk>/rename/", deleted.project_rename, name="project-rename"),
    path("projects/<uuid:pk>/people/", sharing.people, name="people"),
    path("projects/<uuid:pk>/people/set/", sharing.member_set, name="member-set"),
    path("projects/<uuid:pk>/people/<int:member>/remove/", sharing.member_remove, name="member-remove"),
    path("projects/<uuid:pk>/sources/", projects.source_upload, name="source-upload"),
    path("projects/<uuid:pk>/sources/sample/", projects.source_sample, name="source-sample"),
    path("sources/<uuid:pk>/delete/", projects.source_delete, name="source-delete"),
    path("sources/<uuid:pk>/jobs/new/", jobs.job_new, name="job-new"),
    path("sources/<uuid:pk>/jobs/prediction/", jobs.job_prediction, name="job-prediction"),
    path("jobs/<uuid:pk>/", jobs.job, name="job"),
    path("jobs/<uuid:pk>/status/", jobs.job_status, name="job-status"),
    path("jobs/<uuid:pk>/cancel/", jobs.job_cancel, name="job-cancel"),
    path("jobs/<uuid:pk>/retry/", jobs.job_retry, name="job-retry"),
    path("jobs/<uuid:pk>/parts/", parts.job_parts, name="job-parts"),
    path("jobs/<uuid:pk>/redraw/", jobs.job_redraw, name="job-redraw"),
    path("jobs/<uuid:pk>/delete/", deleted.job_delete, name="job-delete"),
    path("jobs/<uuid:pk>/words/", deleted.job_words, name="job-words"),
    path("jobs/<uuid:pk>/links/", sharing.job_links, name="job-links"),
    path("jobs/<uuid:pk>/links/<uuid:link>/revoke/", sharing.link_revoke, name="link-revoke"),
    path("s/<str:token>/", sharing.shared, name="shared"),
    path("deleted/", deleted.deleted, name="deleted"),
    path("deleted/<str:kind>/<uuid:pk>/restore/", deleted.restore, name="restore"),
    path("queue/", jobs.queue, name="queue"),
    path("models/", site.models, name="models"),
    path("help/", site.help_page, name="help"),
    path("account/", accounts.account, name="account"),
    path("account/tokens/", accounts.token_create, name="token-create"),
    path("account/tokens/<str:digest>/revoke/", accounts.token_revoke, name="token-revoke"),
    path("account/password/", accounts.password_change, name="password-change"),
    path("sign-up/", accounts.sign_up, name="sign-up"),
    path("sign-in/", accounts.SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
]
