"""What the cluster of webhooks runs: one call, signed, to an address that may be called, and without redirects.

The name is resolved once, what it leads to is checked, and that very address is connected to: a name that leads
elsewhere a moment later gains nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import logging
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urljoin
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer

from .api.bakeoffs import BakeOffSerializer
from .api.serializers import JobSerializer
from .api.trials import TrialSerializer
from .models import Delivery, Job
from .services.errors import ServiceError
from .services.webhooks import PING, checked_url, delivery_claim, delivery_done, require_public

ANSWER_BYTES = 2000  # of an answer that are kept
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Portal:
    """Where the portal is reached; serializers ask it, as they ask a request, for whole addresses."""

    address: str

    def build_absolute_uri(self, path: str) -> str:
        return urljoin(self.address, path) if self.address else path


def deliver(delivery_id: str) -> str:
    """One try; returns how it went, for the queue's own list."""
    delivery = delivery_claim(delivery_id=delivery_id)
    if delivery is None:
        return "not due"
    delivery.payload = delivery.payload or payload(delivery)
    started, answer, error = time.monotonic(), Answer(None, ""), ""
    try:
        answer = call(delivery.webhook.url, delivery.payload.encode(), headers(delivery, time.time()))
    except ServiceError as refused:
        error = str(refused)
    except (OSError, http.client.HTTPException, ssl.SSLError) as failed:
        error = in_words(failed)
    seconds = time.monotonic() - started
    delivery_done(delivery=delivery, answer_status=answer.status, answer=answer.text, error=error, seconds=seconds)
    return error or f"answered {answer.status}"


def payload(delivery: Delivery) -> str:
    """{"id", "event", "created_at", "webhook", "job"}; the job as everywhere in the API, null in a ping.

    Of a trial or bake-off `job` is null, and `trial` or `bake_off` is what the API says of it.
    """
    context = {"request": Portal(delivery.webhook.portal)}
    job = Job.objects.prefetch_related("previews", "tags").filter(pk=delivery.job_id or UUID(int=0)).first()
    shown = JobSerializer(job, context=context).data if job else None
    body: dict[str, Any] = {
        "id": str(delivery.pk),
        "event": delivery.event,
        "created_at": delivery.created_at,
        "webhook": str(delivery.webhook_id),
        "job": None if delivery.event == PING else shown,
    }
    if delivery.trial is not None:
        body["trial"] = TrialSerializer(delivery.trial, context=context).data
    if delivery.bake_off is not None:
        body["bake_off"] = BakeOffSerializer(delivery.bake_off, context=context).data
    text: str = JSONRenderer().render(body).decode()
    return text


def headers(delivery: Delivery, now: float) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "Inbetween-Webhook/1",
        "Inbetween-Event": delivery.event,
        "Inbetween-Delivery": str(delivery.pk),
        "Inbetween-Signature": signature(delivery.webhook.secret, int(now), delivery.payload.encode()),
    }


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """ "t=TIME,v1=HEX": HMAC-SHA256 over "TIME.BODY". The time tells an old message that somebody sends again."""
    mac = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"t={timestamp},v1={mac.hexdigest()}"


# -- The call ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    status: int | None
    text: str


def call(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Raises ServiceError where the portal may not call, OSError or HTTPException where nobody answers."""
    parts = checked_url(url)
    connection = connection_to(parts)
    enough = threading.Timer(settings.WEBHOOK_SECONDS, cut_off, (connection,))  # also of an answer that only trickles
    enough.start()
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, headers)
        response = connection.getresponse()
        pieces, length = [], 0
        while length < ANSWER_BYTES and (piece := response.read1(ANSWER_BYTES)):
            pieces.append(piece)
            length += len(piece)
        return Answer(response.status, b"".join(pieces)[:ANSWER_BYTES].decode(errors="replace"))
    finally:
        enough.cancel()
        connection.close()


def cut_off(connection: http.client.HTTPConnection) -> None:
    with suppress(OSError):
        connection.sock.shutdown(socket.SHUT_RDWR)


def connection_to(parts: SplitResult) -> http.client.HTTPConnection:
    """Connected to the first address behind the name that may be called."""
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_rest, address in found:  # one that may not be called spoils the name: it could be chosen by chance next time
        require_public(ipaddress.ip_address(str(address[0]).partition("%")[0]))
    plain = connect(found)
    made: http.client.HTTPConnection
    if parts.scheme == "https":
        made = http.client.HTTPSConnection(host, port, timeout=settings.WEBHOOK_SECONDS)
        plain = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    else:
        made = http.client.HTTPConnection(host, port, timeout=settings.WEBHOOK_SECONDS)
    made.sock = plain
    return made


def connect(found: list[tuple[Any, ...]]) -> socket.socket:
    """To the first that answers. What it is connected to in the end is checked once more."""
    last: OSError = OSError(_("The name leads nowhere."))
    for family, kind, protocol, _name, address in found:
        plain = socket.socket(family, kind, protocol)
        try:
            plain.settimeout(settings.WEBHOOK_SECONDS)
            plain.connect(address)
            require_public(ipaddress.ip_address(str(plain.getpeername()[0]).partition("%")[0]))
            return plain
        except OSError as error:
            plain.close()
            last = error
        except ServiceError:
            plain.close()
            raise
    raise last


def in_words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return _("Nobody answered within %(seconds)s s.") % {"seconds": f"{settings.WEBHOOK_SECONDS:g}"}
    if isinstance(error, socket.gaierror):
        return _("There is no such host.")
    if isinstance(error, ConnectionRefusedError):
        return _("The connection was refused: nothing listens there.")
    if isinstance(error, ssl.SSLError):
        return _("No safe connection: %(reason)s.") % {"reason": error.reason or error}
    return _("It could not be reached: %(reason)s.") % {"reason": str(error) or type(error).__name__}
