"""Every address of the portal, and what it answers to whom. An address without a row here fails the test.

Columns: anonymous, stranger, viewer, editor, owner of the project, administrator. "in" is: sign in first (302 there).
"""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.utils import timezone
from rest_framework.throttling import SimpleRateThrottle

from engine.config import TrainConfig
from interpolation import services
from interpolation.access import link_token
from interpolation.models import BakeOff, Job, Member, Project, ShareLink, Source, Trial
from training.models import TrainingRun

from .pages import finished_job, job_of, person, source_of

pytestmark = pytest.mark.django_db
ROLES = ("anonymous", "stranger", "viewer", "editor", "owner", "admin")

EVERYBODY = "200 200 200 200 200 200"
SIGNED_IN = " in 200 200 200 200 200"
CHANGED_BY_ALL = " in 302 302 302 302 302"
SEEN = " in 404 200 200 200 200"
WORKED = " in 404 403 200 200 200"
CHANGED = " in 404 403 302 302 302"
MANAGED = " in 404 403 403 200 200"
OWNED = " in 404 403 403 302 302"
API_ALL = "401 200 200 200 200 200"
API_SEEN = "401 404 200 200 200 200"
API_CHANGED = "401 404 403 200 200 200"
API_MADE = "401 404 403 201 201 201"
API_OWNED = "401 404 403 403 204 204"

PAGES = {
    # the site
    "GET /": "200 302 302 302 302 302",
    "GET /health/": "503 503 503 503 503 503",  # no worker lives in a test
    "GET /healthz": EVERYBODY,
    "GET /readyz": "503 503 503 503 503 503",
    "GET /words.js": EVERYBODY,
    "GET /help/": EVERYBODY,
    "GET /models/": SIGNED_IN,
    "GET /models/bake-off/": SIGNED_IN,
    "POST /models/bake-off/ {'source': '{source}', 'first': 'blend', 'second': 'default'}": CHANGED,
    "GET /models/bake-off/{bakeoff}/": " in 404 404 404 200 404",  # a judgement is one person's own
    "POST /models/bake-off/{bakeoff}/vote/ {'number': 1, 'side': 'a'}": " in 404 404 404 302 404",
    "POST /models/bake-off/{bakeoff}/reveal/": " in 404 404 404 302 404",
    "POST /models/bake-off/{bakeoff}/cancel/": " in 404 404 404 302 404",
    "POST /models/bake-off/{bakeoff}/retry/": " in 404 404 404 302 404",
    "GET /queue/": SIGNED_IN,
    "GET /notices/": SIGNED_IN,
    "GET /history/": SIGNED_IN,
    "POST /history/act/ {'action': 'delete', 'job': '{job}'}": CHANGED_BY_ALL,
    "GET /compare/?a={job}&b={other}": SEEN,
    "GET /metrics/": SIGNED_IN,
    "GET /deleted/": SIGNED_IN,
    "GET /sign-in/": "200 302 302 302 302 302",
    "GET /sign-up/": "200 302 302 302 302 302",
    "POST /sign-in/ {'username': 'owner', 'password': 'wrong'}": "200 302 302 302 302 302",
    "POST /sign-up/ {'username': 'new'}": "422 302 302 302 302 302",
    "POST /sign-out/": "302 302 302 302 302 302",
    # one's own account
    "GET /account/": SIGNED_IN,
    "POST /account/preferences/ {'theme': 'dark', 'time_zone': 'moon'}": " in 422 422 422 422 422",
    "POST /account/theme/ {'theme': 'moon'}": " in 422 422 422 422 422",
    "GET /account/export/": SIGNED_IN,
    "POST /account/delete/ {'password': 'wrong'}": " in 422 422 422 422 422",
    "POST /account/tokens/": SIGNED_IN,
    "POST /account/tokens/{digest}/revoke/": " in 404 404 404 302 404",
    "POST /account/password/": " in 422 422 422 422 422",
    # projects
    "GET /projects/": SIGNED_IN,
    "POST /projects/new/ {'name': 'new'}": CHANGED_BY_ALL,
    "GET /projects/new/": CHANGED_BY_ALL,  # back to the list, where its form is
    "GET /projects/{project}/": SEEN,
    "POST /projects/{project}/delete/": OWNED,
    "POST /projects/{project}/rename/ {'name': 'new'}": OWNED,
    "GET /projects/{project}/people/": SEEN,
    "POST /projects/{project}/people/set/ {'username': 'stranger', 'role': 'viewer'}": OWNED,
    "POST /projects/{project}/people/{member}/remove/": OWNED,
    "POST /projects/{project}/sources/": " in 404 403 422 422 422",
    "POST /projects/{project}/sources/sample/": CHANGED,
    "POST /uploads/{upload}/remove/": " in 404 404 404 302 404",
    "POST /deleted/project/{gone_project}/restore/": " in 404 403 403 302 404",
    "POST /deleted/source/{gone_source}/restore/": " in 404 403 302 302 404",
    "POST /deleted/job/{gone_job}/restore/": " in 404 403 302 302 404",
    # sources
    "POST /sources/{source}/delete/": CHANGED,
    "GET /sources/{source}/jobs/new/": WORKED,
    "POST /sources/{source}/jobs/new/": " in 404 403 422 422 422",
    "GET /sources/{source}/jobs/prediction/": WORKED,
    "POST /sources/{source}/trials/ {}": " in 404 403 422 422 422",
    "POST /sources/{source}/presets/ {}": " in 404 403 422 422 422",
    "POST /sources/{source}/presets/{preset}/delete/": " in 404 403 404 302 404",  # one's own
    "GET /trials/{trial}/": " in 404 404 404 200 404",  # a judgement is one person's own
    "POST /trials/{trial}/cancel/": " in 404 404 404 302 404",
    "POST /trials/{trial}/retry/": " in 404 404 404 302 404",
    "POST /trials/{trial}/promote/ {'side': 'first'}": " in 404 404 404 302 404",
    # jobs
    "GET /jobs/{job}/": SEEN,
    "GET /jobs/{job}/status/": SEEN,
    "GET /jobs/{job}/parts/": SEEN,
    "GET /jobs/{job}/log/": SEEN,
    "POST /jobs/{job}/again/": CHANGED,
    "POST /jobs/{waiting}/cancel/": CHANGED,
    "POST /jobs/{failed}/retry/": CHANGED,
    "POST /jobs/{job}/redraw/": " in 404 403 422 422 422",
    "POST /jobs/{job}/delete/": CHANGED,
    "POST /jobs/{job}/words/ {'tags': 'night'}": CHANGED,
    "GET /jobs/{job}/links/": MANAGED,
    "POST /jobs/{job}/links/ {'days': '7'}": OWNED,
    "POST /jobs/{job}/links/{link}/revoke/": OWNED,
    "GET /s/{token}/": EVERYBODY,
    "POST /s/{token}/ {'password': ''}": "302 302 302 302 302 302",  # it has none, and opens
    # files
    "GET /media/jobs/{job}/preview.mp4": "404 404 200 200 200 200",
    "GET /media/sources/{source}/source.mp4": "404 404 200 200 200 200",
    "GET /jobs/{job}/download/master/": "404 404 200 200 200 200",
    "GET /jobs/{job}/download/figures/": "404 404 200 200 200 200",
    # training, which is nobody's project: who started a run sees it
    "GET /training/": SIGNED_IN,
    "GET /training/new/": " in 403 403 403 403 200",
    "POST /training/new/ {'device': 'moon'}": " in 403 403 403 403 422",
    "GET /training/{run}/": " in 404 404 404 200 200",
    "GET /training/{run}/status/": " in 404 404 404 200 200",
    "GET /training/compare/?run={run}": CHANGED_BY_ALL,  # back to the list, as one is not two
    "GET /training/{run}/pictures/": " in 404 404 404 200 200",
    "GET /training/{run}/pictures/0_truth.jpg": " in 404 404 404 200 200",
    "POST /training/{run}/promote/": " in 404 404 404 403 302",
    "POST /training/{run}/cancel/": " in 404 404 404 302 302",
    "POST /training/{run}/resume/": " in 404 404 404 403 302",
}
API = {
    "GET /api/schema/": EVERYBODY,
    "GET /api/docs/": EVERYBODY,
    "GET /api/v1/projects/": API_ALL,
    "POST /api/v1/projects/ {'name': 'new'}": "401 201 201 201 201 201",
    "GET /api/v1/projects/{project}/": API_SEEN,
    "PATCH /api/v1/projects/{project}/ {'name': 'new'}": "401 404 403 403 200 200",
    "GET /api/v1/projects/{project}/members/": API_SEEN,
    "POST /api/v1/projects/{project}/members/ {'username': 'stranger', 'role': 'viewer'}": "401 404 403 403 200 200",
    "DELETE /api/v1/projects/{project}/members/{member}/": API_OWNED,
    "DELETE /api/v1/projects/{project}/": API_OWNED,
    "GET /api/v1/sources/": API_ALL,
    "POST /api/v1/sources/ {'project': '{project}', 'sample': True}": API_MADE,
    "GET /api/v1/sources/{source}/": API_SEEN,
    "DELETE /api/v1/sources/{source}/": "401 404 403 409 409 409",  # a job needs it
    "POST /api/v1/sources/{source}/prediction/ {}": API_SEEN,
    "GET /api/v1/sources/{source}/presets/": API_SEEN,
    "GET /api/v1/presets/": API_ALL,
    "POST /api/v1/presets/ {'name': 'mine', 'options': {}}": "401 201 201 201 201 201",
    "GET /api/v1/presets/{preset}/": "401 404 404 404 200 404",
    "DELETE /api/v1/presets/{preset}/": "401 404 404 404 204 404",
    "GET /api/v1/trials/": API_ALL,
    "POST /api/v1/trials/ {'source': '{source}', 'second': {'inbetween': 2}}": API_MADE,
    "GET /api/v1/trials/{trial}/": "401 404 404 404 200 404",
    "POST /api/v1/trials/{trial}/cancel/ {}": "401 404 404 404 409 404",  # both films are there
    "POST /api/v1/trials/{trial}/retry/ {}": "401 404 404 404 409 404",
    "POST /api/v1/trials/{trial}/promote/ {'side': 'first'}": "401 404 404 404 201 404",
    "GET /api/v1/bake-offs/": API_ALL,
    "POST /api/v1/bake-offs/ {'source': '{source}', 'first': 'blend', 'second': 'default'}": API_MADE,
    "GET /api/v1/bake-offs/{bakeoff}/": "401 404 404 404 200 404",
    "POST /api/v1/bake-offs/{bakeoff}/vote/ {'round': 1, 'side': 'a'}": "401 404 404 404 200 404",
    "POST /api/v1/bake-offs/{bakeoff}/reveal/ {}": "401 404 404 404 409 404",  # nothing was judged
    "POST /api/v1/bake-offs/{bakeoff}/cancel/ {}": "401 404 404 404 409 404",  # both films are there
    "POST /api/v1/bake-offs/{bakeoff}/retry/ {}": "401 404 404 404 409 404",
    "POST /api/v1/sources/pairs/ {}": "401 415 415 415 415 415",  # files come as a form
    "GET /api/v1/jobs/": API_ALL,
    "POST /api/v1/jobs/ {'source': '{source}'}": API_MADE,
    "GET /api/v1/jobs/{job}/": API_SEEN,
    "PATCH /api/v1/jobs/{job}/ {'notes': 'good'}": API_CHANGED,
    "DELETE /api/v1/jobs/{job}/": "401 404 403 204 204 204",
    "POST /api/v1/jobs/{job}/rerun/ {}": API_MADE,
    "POST /api/v1/jobs/compare/ {'jobs': ['{job}', '{other}']}": "401 400 200 200 200 200",
    "GET /api/v1/jobs/{job}/download/master/": API_SEEN,
    "GET /api/v1/jobs/{job}/previews/": API_SEEN,
    "GET /api/v1/jobs/{job}/flow/": API_SEEN,
    "GET /api/v1/jobs/{job}/frames/": API_SEEN,
    "GET /api/v1/jobs/{job}/figures/": API_SEEN,
    "GET /api/v1/jobs/{job}/links/": "401 404 403 403 200 200",
    "POST /api/v1/jobs/{job}/links/ {'days': 7}": "401 404 403 403 201 201",
    "DELETE /api/v1/jobs/{job}/links/{link}/": API_OWNED,
    "POST /api/v1/jobs/{waiting}/cancel/": API_CHANGED,
    "POST /api/v1/jobs/{failed}/retry/": API_CHANGED,
    "GET /api/v1/jobs/{job}/parts/": API_SEEN,
    "POST /api/v1/jobs/{job}/redraw/ {'start': '0', 'end': '1'}": "401 404 403 400 400 400",  # its parts are gone
    "GET /api/v1/deleted/": API_ALL,
    "POST /api/v1/deleted/project/{gone_project}/restore/ {}": "401 404 403 403 200 404",
    "POST /api/v1/deleted/source/{gone_source}/restore/ {}": "401 404 403 200 200 404",
    "POST /api/v1/deleted/job/{gone_job}/restore/ {}": "401 404 403 200 200 404",
    # an upload is known to who sends it; its bytes go with headers that a row has not: that is in a test of its own
    "GET /api/v1/uploads/": API_ALL,
    "POST /api/v1/uploads/ {}": "401 412 412 412 412 412",
    "GET /api/v1/uploads/{upload}/": "401 404 404 404 200 404",
    "PATCH /api/v1/uploads/{upload}/ {}": "401 412 412 412 412 412",
    "DELETE /api/v1/uploads/{upload}/ {}": "401 412 412 412 412 412",
    "POST /api/v1/uploads/{upload}/ {}": "401 405 405 405 405 405",
    # of webhooks only those know who made them, and the project's owner
    "GET /api/v1/webhooks/": API_ALL,
    "POST /api/v1/webhooks/ {'project': '{project}', 'url': 'https://example.org/'}": API_MADE,
    "GET /api/v1/webhooks/{hook}/": "401 404 404 404 200 404",
    "DELETE /api/v1/webhooks/{hook}/": "401 404 404 404 204 404",
    "POST /api/v1/webhooks/{hook}/ping/ {}": "401 404 404 404 202 404",
    "GET /api/v1/webhooks/{hook}/deliveries/": "401 404 404 404 200 404",
    "POST /api/v1/webhooks/{hook}/deliveries/{delivery}/repeat/ {}": "401 404 404 404 202 404",
    "GET /api/v1/queue/": API_ALL,
    "GET /api/v1/account/": API_ALL,
    "GET /api/v1/tokens/": API_ALL,
    "POST /api/v1/tokens/ {'scope': 'read'}": "401 201 201 201 201 201",
    "DELETE /api/v1/tokens/{digest}/": "401 404 404 404 204 404",
    "GET /api/v1/problems/": EVERYBODY,
    "GET /api/v1/problems/not-found/": EVERYBODY,
    "GET /api/v1/": "404 404 404 404 404 404",
    "GET /api/v1/nothing/": "404 404 404 404 404 404",
    "GET /api/v1/models/": API_ALL,
    "POST /api/v1/token/ {'username': 'owner', 'password': 'wrong'}": "403 403 403 403 403 403",
    "GET /api/v1/training-runs/": API_ALL,
    "POST /api/v1/training-runs/ {'name': 'walk'}": "401 403 403 403 403 201",
    "GET /api/v1/training-runs/{run}/": "401 404 404 404 200 200",
    "GET /api/v1/training-runs/{run}/epochs/": "401 404 404 404 200 200",
    "GET /api/v1/training-runs/{run}/curve/": "401 404 404 404 200 200",
    "GET /api/v1/training-runs/{run}/pictures/": "401 404 404 404 200 200",
    "GET /api/v1/training-runs/{run}/pictures/0_truth.jpg": "401 404 404 404 200 200",
    "POST /api/v1/training-runs/{run}/promote/ {}": "401 404 404 404 403 400",  # its weights are not there
    "POST /api/v1/models/flow_fusion/promote/ {}": "401 403 403 403 403 409",
    "POST /api/v1/training-runs/{run}/stop/ {}": "401 404 404 404 200 200",
    "POST /api/v1/training-runs/{run}/resume/ {}": "401 404 404 404 403 409",  # it waits
}
ROWS = PAGES | API
DOORS = ("admin/login/", "admin/logout/", "admin/jsi18n/")  # of the admin; who has not signed in stands before them
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
WRITES = re.compile(r"(?!.*django_session)(INSERT|UPDATE|DELETE)")
NOWHERE = ("/api/v1/", "/api/v1/nothing/")
OPEN = ("/api/v1/token/", "/api/v1/problems/", "/api/v1/problems/not-found/")  # to strangers, too
NO_ROW = "admin/"  # all of it is for administrators: see the last test


@dataclass
class World:
    """Clients by role, and what the names in the rows stand for."""

    clients: dict[str, Client]
    names: dict[str, str]

    def client(self, role: str) -> Client:
        """As signed in as at the beginning, whatever an earlier request has done to it."""
        client = Client()
        client.cookies = copy(self.clients[role].cookies)
        client.handler = self.clients["anonymous"].handler  # its own would load all middleware anew
        return client


@pytest.fixture
def world(media_root: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    people = {role: person(role) for role in ROLES[1:]}
    User.objects.filter(username="admin").update(is_staff=True, is_superuser=True)
    owner = people["owner"]
    source = source_of(owner)
    project = source.project
    for role in ("viewer", "editor"):
        services.member_set(project=project, username=role, role=role)
    home = media_root / "sources" / str(source.pk)
    home.mkdir(parents=True)
    (home / "source.mp4").write_bytes(b"film")
    job = finished_job(source)
    job.directory.mkdir(parents=True)
    for name in ("master.mp4", "preview.mp4"):
        (job.directory / name).write_bytes(b"film")
    Job.objects.filter(pk=job.pk).update(master=f"jobs/{job.pk}/master.mp4")
    leaver = services.member_set(project=project, username="admin", role="viewer")
    Member.objects.filter(pk=leaver.pk).update(user=person("leaver"))
    gone = {"deleted_at": timezone.now()}
    gone_project = Project.objects.create(owner=owner, name="gone", **gone)
    for role in ("viewer", "editor"):
        services.member_set(project=gone_project, username=role, role=role)
    gone_source = Source.objects.create(project=project, kind="video", name="gone", file="x", **gone)
    digest, _ = services.token_create(user=owner, name="script")
    link = ShareLink.objects.create(job=job)
    config = TrainConfig(model_path="x.pth", synthetic=True).to_dict()
    run = TrainingRun.objects.create(owner=owner, name="run", status="queued", config=config)
    (media_root / "training" / str(run.pk)).mkdir(parents=True)
    (media_root / "training" / str(run.pk) / "0_truth.jpg").write_bytes(b"picture")
    other = finished_job(source)
    hook = services.webhook_create(project=project, user=owner, url="https://example.org/")
    names = {
        "bakeoff": BakeOff.objects.create(owner=owner, source=source, first=job, second=other).pk,
        "preset": services.preset_save(user=owner, name="kept", options={}).pk,
        "trial": Trial.objects.create(owner=owner, source=source, first=job, second=other).pk,
        "hook": hook.pk,
        "delivery": services.webhook_ping(webhook=hook).pk,
        "upload": services.upload_create(project=project, user=owner, size=5).pk,
        "project": project.pk,
        "source": source.pk,
        "job": job.pk,
        "other": other.pk,
        "waiting": job_of(source).pk,
        "failed": job_of(source, "failed").pk,
        "gone_project": gone_project.pk,
        "gone_source": gone_source.pk,
        "gone_job": job_of(source, "failed", **gone).pk,
        "member": leaver.pk,
        "digest": digest.pk,
        "link": link.pk,
        "token": link_token(link.pk),
        "run": run.pk,
    }
    monkeypatch.setattr(
        services, "source_create_sample", lambda *, project: source
    )  # looking into a file takes a second
    monkeypatch.setattr(
        SimpleRateThrottle, "allow_request", lambda *_: True
    )  # one person walks, but thousands of steps
    clients = {role: Client() for role in ROLES}
    for role, user in people.items():
        clients[role].force_login(user)
    return World(clients, {name: str(value) for name, value in names.items()})


def asked(world: World, role: str, row: str) -> HttpResponse:
    """What this role gets for the row; whatever it changes is undone."""
    with transaction.atomic():
        answer = ask(world.client(role), world, row)
        transaction.set_rollback(True)
    return answer


def ask(client: Client, world: World, row: str) -> HttpResponse:
    for name, value in world.names.items():
        row = row.replace("{" + name + "}", value)
    method, _, rest = row.partition(" ")
    path, _, body = rest.partition(" ")
    data = literal_eval(body) if body else {}
    more = {"content_type": "application/json"} if path.startswith("/api/") else {}
    answer: HttpResponse = getattr(client, method.lower())(path, data, **more)
    return answer


def said(answer: HttpResponse) -> str:
    to = answer.headers.get("Location", "")
    return "in" if answer.status_code == 302 and to.startswith("/sign-in/") else str(answer.status_code)


def test_every_address_answers_everybody_as_the_table_says(world: World) -> None:
    wrong = {}
    for row, table in ROWS.items():
        expected = table.split()
        assert len(expected) == len(ROLES), row
        found = [said(asked(world, role, row)) for role in ROLES]
        if found != expected:
            wrong[row] = f"{' '.join(found)} instead of {' '.join(expected)}"
    assert wrong == {}


def routes(patterns: Any, prefix: str = "", *, allowed: bool = False) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern).removeprefix("^")
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route, allowed=allowed)
        elif allowed or not route.startswith(NO_ROW):
            yield route, pattern


def methods(pattern: URLPattern) -> set[str]:
    """Those that the API's views declare; of other views nobody knows, there one row is enough."""
    view: Any = pattern.callback
    if hasattr(view, "actions"):
        return {name.upper() for name in view.actions} - {"HEAD", "OPTIONS"}
    handler = getattr(view, "cls", None) or getattr(view, "view_class", None)
    declared = {name.upper() for name in ("get", "post", "put", "patch", "delete") if hasattr(handler, name)}
    return declared if "api/v1" in getattr(handler, "__module__", "").replace(".", "/") else set()


def test_every_address_has_a_row(world: World) -> None:
    covered: dict[str, set[str]] = {}
    for row in ROWS:
        for name, value in world.names.items():
            row = row.replace("{" + name + "}", value)
        method, path = row.split()[:2]
        covered.setdefault(resolve(path.partition("?")[0]).route, set()).add(method)
    missing = [route for route, _ in routes(get_resolver().url_patterns) if route not in covered]
    assert missing == [], "addresses without a row in this table"
    half = {
        route: missed
        for route, pattern in routes(get_resolver().url_patterns)
        if (missed := methods(pattern) - covered[route])
    }
    assert half == {}, "methods without a row in this table"


def by_route(world: World) -> dict[str, tuple[str, set[str]]]:
    """One path of every address, and the methods that the table has for it."""
    found: dict[str, tuple[str, set[str]]] = {}
    for row in ROWS:
        for name, value in world.names.items():
            row = row.replace("{" + name + "}", value)
        method, path = row.split()[:2]
        path = path.partition("?")[0]
        found.setdefault(resolve(path).route, (path, set()))[1].add(method)
    return found


def test_a_method_without_a_row_does_nothing_at_any_address(world: World) -> None:
    """Else there would be a door that the table does not know: 405 to everybody, with the methods of the table."""
    wrong, tried = {}, 0
    written: list[str] = []

    def watched(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        written.extend([sql[:100]] if WRITES.match(sql) else [])
        return execute(sql, *more)

    with connection.execute_wrapper(watched):
        for path, had in by_route(world).values():
            for method, role in product(set(METHODS) - had, ROLES):
                found = refusal(ask(world.client(role), world, f"{method} {path}"))
                tried += 1
                if written or found not in refusals(path, role, had):
                    wrong[f"{role}: {method} {path}"] = (found, *written)
                    written.clear()
    assert wrong == {}
    assert tried > 6 * 300


def refusal(answer: HttpResponse) -> str:
    """The status, and the methods that the answer says are taken; HEAD goes with GET, OPTIONS changes nothing."""
    taken = {name.strip() for name in answer.headers.get("Allow", "").split(",")} - {"", "HEAD", "OPTIONS"}
    return " ".join([str(answer.status_code), *sorted(taken)])


def refusals(path: str, role: str, had: set[str]) -> set[str]:
    """What is right: the API asks who it is first."""
    taken = " ".join(["405", *sorted(had)])
    if not path.startswith("/api/v1/"):
        return {taken}
    if path in NOWHERE:
        return {"404"}
    return {taken.replace("405", "401")} if role == "anonymous" and path not in OPEN else {taken}


def test_a_page_refuses_what_no_form_sends_before_it_asks_for_a_forms_token(world: World) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = copy(world.clients["admin"].cookies)
    pages = [path for path, _ in by_route(world).values() if not path.startswith("/api/")]
    answers = {
        (method, path): strict.generic(method, path).status_code
        for path in (*pages, *admin_addresses())
        for method in ("PUT", "PATCH", "DELETE")
    }
    assert {call for call, status in answers.items() if status != 405} == set()
    assert len(answers) > 3 * 90
    assert strict.post("/projects/new/", {"name": "new"}).status_code == 403  # a form's POST still needs one


def test_head_is_answered_as_get_without_a_body(world: World) -> None:
    differ = {}
    for row in ROWS:
        if row.startswith("GET ") and row != "GET /api/v1/uploads/{upload}/":  # tus has a HEAD of its own
            got, head = (asked(world, "owner", row.replace("GET", method, 1)) for method in ("GET", "HEAD"))
            if got.status_code != head.status_code or getattr(head, "content", b""):
                differ[row] = (got.status_code, head.status_code)
    assert differ == {}


def test_no_two_addresses_share_a_name() -> None:
    """`reverse` would give one of them, and nobody knows which: pages and API are named apart."""
    named = [
        (pattern.name, route) for route, pattern in routes(get_resolver().url_patterns) if pattern.name != "api-unknown"
    ]
    names = [name for name, _ in named if name]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("role", ROLES)
def test_the_whole_admin_is_for_administrators(world: World, role: str) -> None:
    answers = set()
    for address in admin_addresses():
        answer = world.clients[role].get(address)
        to = answer.headers.get("Location", "")
        answers.add("sign in" if to.startswith("/admin/login/") else str(answer.status_code))
    expected = {"200", "302", "403", "404", "405"} if role == "admin" else {"sign in"}
    assert answers <= expected, answers


def admin_addresses() -> Iterator[str]:
    """All of the admin, where it needs a number with one that no row has; without its own door."""
    for route, _ in routes(get_resolver().url_patterns, allowed=True):
        if route.startswith(NO_ROW) and "(?P<" not in route and route not in DOORS:
            yield "/" + re.sub(r"<[^>]*>", "0", route)


def test_a_token_that_may_only_read_changes_nothing_at_any_address(world: World) -> None:
    _, token = services.token_create(user=User.objects.get(username="owner"), scope="read")
    let_through = {}
    for row in API:
        if row.startswith(("GET", "POST /api/v1/token/")):  # that one takes name and password
            continue
        with transaction.atomic():
            answer = ask(Client(headers={"Authorization": f"Token {token}"}), world, row)
            transaction.set_rollback(True)
        if answer.status_code != 403:
            let_through[row] = answer.status_code
    assert let_through == {}
