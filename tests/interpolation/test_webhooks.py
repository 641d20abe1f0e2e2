"""Webhooks: who is called, with what, how often, and where the portal may not call."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks, Settings
from rest_framework.test import APIClient

from interpolation import hooks, services
from interpolation.models import BakeOff, Delivery, Job, Project, Source, Trial, Webhook
from interpolation.services import webhooks
from interpolation.services.errors import ServiceError

from .pages import finished_job, job_of, source_of

HOOKS = "/api/v1/webhooks/"
PENDING, DELIVERED, FAILED = Delivery.Status.PENDING, Delivery.Status.DELIVERED, Delivery.Status.FAILED


@dataclass
class Listener:
    """A real HTTP server on this machine; `answers` are given in turn, the last again and again."""

    url: str = ""
    answers: list[int] = field(default_factory=lambda: [200])
    location: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def listener(settings: Settings) -> Iterator[Listener]:
    settings.WEBHOOK_PRIVATE = True
    settings.WEBHOOK_SECONDS = 5.0
    state = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.got.append((dict(self.headers), body))
            self.send_response(state.answers.pop(0) if len(state.answers) > 1 else state.answers[0])
            if state.location:
                self.send_header("Location", state.location)
            self.end_headers()
            self.wfile.write(b"thank you")

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}/hook?who=me"
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture
def hook(project: Project, alice: User, listener: Listener) -> Webhook:
    return services.webhook_create(
        project=project, user=alice, url=listener.url, portal="https://portal.example/", events=webhooks.EVENTS.values()
    )


@pytest.fixture
def job(quick_source: Source) -> Job:
    return services.job_create(source=quick_source, options={})


def test_a_job_that_ends_is_told_in_the_words_of_the_api(
    hook: Webhook, listener: Listener, job: Job, api: APIClient
) -> None:
    services.job_claim(job_id=job.pk, worker="a")
    services.job_fail(job_id=job.pk, worker="a", error="No frames.")
    events = list(Delivery.objects.order_by("created_at").values_list("event", "status"))
    assert events == [("job.running", PENDING), ("job.failed", PENDING)]
    assert hooks.deliver(str(Delivery.objects.get(event="job.failed").pk)) == "answered 200"
    ((headers, body),) = listener.got
    told = json.loads(body)
    assert (told["event"], headers["Inbetween-Event"], headers["Inbetween-Delivery"]) == (
        "job.failed", "job.failed", told["id"],
    )  # fmt: skip
    assert told["job"] == api.get(f"/api/v1/jobs/{job.pk}/").json()
    assert told["job"]["progress"]["error"] == "No frames."


def test_addresses_in_a_message_are_those_by_which_the_portal_is_reached(hook: Webhook, quick_source: Source) -> None:
    done = finished_job(quick_source)
    webhooks.job_told([done.pk], "succeeded")
    told = json.loads(hooks.payload(Delivery.objects.select_related("webhook").get()))
    assert told["job"]["downloads"]["figures"] == f"https://portal.example/api/v1/jobs/{done.pk}/download/figures/"


def test_a_message_is_signed_with_the_secret_and_the_time(hook: Webhook, listener: Listener) -> None:
    delivery = services.webhook_ping(webhook=hook)
    hooks.deliver(str(delivery.pk))
    ((headers, body),) = listener.got
    stamp, mac = (part.partition("=")[2] for part in headers["Inbetween-Signature"].split(","))
    assert abs(time.time() - int(stamp)) < 10
    assert mac == hmac.new(hook.secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert json.loads(body)["job"] is None
    delivery.refresh_from_db()
    assert (delivery.status, delivery.answer_status, delivery.answer) == (DELIVERED, 200, "thank you")


def test_what_fails_is_tried_again_with_the_same_words_after_longer_and_longer_pauses(
    hook: Webhook, listener: Listener, settings: Settings
) -> None:
    settings.WEBHOOK_ATTEMPTS = 3
    listener.answers = [500, 503, 404]
    delivery = services.webhook_ping(webhook=hook)
    pauses = []
    for _ in range(3):
        assert hooks.deliver(str(delivery.pk)).startswith("answered")
        delivery.refresh_from_db()
        if delivery.next_at:
            pauses.append(round((delivery.next_at - timezone.now()).total_seconds(), -1))
            assert hooks.deliver(str(delivery.pk)) == "not due"
            Delivery.objects.update(next_at=timezone.now() - timedelta(seconds=5))
            assert webhooks.deliveries_due() == [delivery.pk]
    assert pauses == [10, 60]
    assert (delivery.status, delivery.attempts, delivery.answer_status) == (FAILED, 3, 404)
    assert len({body for _, body in listener.got}) == 1 and len(listener.got) == 3
    assert webhooks.deliveries_due() == []
    services.delivery_repeat(delivery=delivery)
    listener.answers = [204]
    assert hooks.deliver(str(delivery.pk)) == "answered 204"


def test_a_try_that_died_with_its_worker_is_made_again_but_not_for_ever(hook: Webhook, settings: Settings) -> None:
    settings.WEBHOOK_ATTEMPTS = 2
    delivery = services.webhook_ping(webhook=hook)
    for _ in range(2):
        assert webhooks.delivery_claim(delivery_id=delivery.pk) is not None
        assert webhooks.delivery_claim(delivery_id=delivery.pk) is None
        Delivery.objects.update(next_at=timezone.now() - timedelta(seconds=5))
    assert webhooks.delivery_claim(delivery_id=delivery.pk) is None
    delivery.refresh_from_db()
    assert delivery.status == FAILED


def test_redirects_are_not_followed(hook: Webhook, listener: Listener) -> None:
    listener.answers, listener.location = [302], listener.url
    delivery = services.webhook_ping(webhook=hook)
    assert hooks.deliver(str(delivery.pk)) == "answered 302"
    assert len(listener.got) == 1
    delivery.refresh_from_db()
    assert delivery.status == PENDING


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost:8000/",
        "http://10.1.2.3/",
        "http://192.168.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://[fe80::1]/",
        "http://[fd00::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "ftp://example.org/",
        "//example.org/",
        "http://user:word@example.org/",
        "http://example.org:99999/",
        "http://exa mple.org/",
        "http://example.org/#part",
        "nonsense",
    ],
)
def test_addresses_inside_the_network_and_odd_ones_are_refused(api: APIClient, project: Project, url: str) -> None:
    refused = api.post(HOOKS, {"project": str(project.pk), "url": url}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (400, "refused")
    assert not Webhook.objects.exists()


def test_a_name_that_leads_inside_is_refused_when_it_is_called(
    hook: Webhook, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEBHOOK_PRIVATE = False
    inside = [(2, 1, 6, "", ("93.184.216.34", 80)), (2, 1, 6, "", ("127.0.0.1", 80))]
    monkeypatch.setattr("interpolation.hooks.socket.getaddrinfo", lambda *given, **more: inside)
    Webhook.objects.update(url="http://innocent.example/")
    delivery = services.webhook_ping(webhook=hook)
    assert "127.0.0.1 lies inside this network" in hooks.deliver(str(delivery.pk))
    delivery.refresh_from_db()
    assert (delivery.answer_status, "INBETWEEN_WEBHOOK_PRIVATE" in delivery.error) == (None, True)


def test_public_addresses_may_be_called() -> None:
    webhooks.require_public(ipaddress.ip_address("93.184.216.34"))
    webhooks.require_public(ipaddress.ip_address("2606:2800:220:1::1"))


def test_only_hosts_of_the_list_may_be_called(settings: Settings) -> None:
    settings.WEBHOOK_HOSTS = ["hooks.example.org", "*.ci.example.com"]
    webhooks.checked_url("https://HOOKS.example.org/x")
    webhooks.checked_url("https://a.ci.example.com:8443/")
    with pytest.raises(ServiceError, match="not among the hosts"):
        webhooks.checked_url("https://ci.example.com.evil.net/")


def test_nobody_there_is_said_in_words(hook: Webhook, listener: Listener) -> None:
    Webhook.objects.update(url="http://127.0.0.1:9/")  # the port of "discard": nothing listens
    delivery = services.webhook_ping(webhook=hook)
    assert hooks.deliver(str(delivery.pk)) == "The connection was refused: nothing listens there."


def test_a_webhook_of_one_job_comes_with_the_job(
    api: APIClient, quick_source: Source, listener: Listener, django_capture_on_commit_callbacks: Any
) -> None:
    given = {"source": str(quick_source.pk), "webhook": {"url": listener.url, "secret": "a long enough secret"}}
    job = api.post("/api/v1/jobs/", given, format="json").json()
    other = services.job_create(source=quick_source, options={})
    services.job_cancel(job=other)
    assert not Delivery.objects.exists()
    assert api.post(f"/api/v1/jobs/{job['id']}/cancel/").status_code == 200
    (found,) = api.get(HOOKS, {"job": job["id"]}).json()["results"]
    assert (found["secret"], found["events"]) == ("a long enough secret", webhooks.OVER)
    (sent,) = api.get(f"{HOOKS}{found['id']}/deliveries/").json()["results"]
    assert (sent["event"], sent["status"], sent["job"]) == ("job.cancelled", "pending", job["id"])


def test_a_message_waits_in_its_own_queue(
    hook: Webhook, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[Any, Any]] = []
    monkeypatch.setattr("interpolation.services.webhooks.async_task", lambda *given, **more: sent.append((given, more)))
    with django_capture_on_commit_callbacks(execute=True):
        delivery = services.webhook_ping(webhook=hook)
    ((given, more),) = sent
    assert given == ("interpolation.hooks.deliver", str(delivery.pk))
    assert more["q_options"]["cluster"] == "webhooks"


def test_a_secret_is_for_who_made_the_webhook_and_the_projects_owner(
    hook: Webhook, api: APIClient, bobs_api: APIClient, bob: User, project: Project
) -> None:
    services.member_set(project=project, username="bob", role="editor")
    assert bobs_api.get(f"{HOOKS}{hook.pk}/").status_code == 404
    assert api.get(f"{HOOKS}{hook.pk}/").json()["secret"] == hook.secret
    services.webhook_create(project=project, user=bob, url="http://127.0.0.1/x")
    assert len(bobs_api.get(HOOKS).json()["results"]) == 1
    assert len(api.get(HOOKS).json()["results"]) == 2


@pytest.mark.parametrize(
    ("model", "event", "name"), [(Trial, "trial.ended", "trial"), (BakeOff, "bakeoff.ended", "bake_off")]
)
def test_a_trial_or_bake_off_is_told_of_once_when_both_films_are_over(
    listener: Listener,
    alice: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    model: Any,
    event: str,
    name: str,
) -> None:
    source = source_of(alice)
    hook = services.webhook_create(
        project=source.project, user=alice, url=listener.url, events=[event], portal="https://films.example.org/"
    )
    services.webhook_create(project=source.project, user=alice, url=listener.url)  # it asked for jobs only
    first, second = (job_of(source, "running", worker="w") for _ in range(2))
    pair = model.objects.create(owner=alice, source=source, first=first, second=second)
    mine = Delivery.objects.filter(webhook=hook)
    services.job_fail(job_id=first.pk, worker="w", error="no room")
    assert not mine.exists()
    services.job_cancel(job=second)
    services.job_stopped(job_id=second.pk, worker="w")
    (delivery,) = mine
    assert delivery.event == event
    assert hooks.deliver(str(delivery.pk)) == "answered 200"
    sent = json.loads(listener.got[-1][1])
    assert (sent["event"], sent["job"], sent[name]["id"]) == (event, None, str(pair.pk))
    assert {"trial", "bake_off"} & set(sent) == {name}
    services.pair_retry(pair=model.objects.get(pk=pair.pk))
    for job in (first, second):
        job.refresh_from_db()
        services.job_cancel(job=job)
    assert mine.all().count() == 2, "and once again when it was drawn again"
