"""The description of the API: what all calls have in common is said here, once."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from .problems import KINDS, MEDIA_TYPE, ROOT

KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "maxLength": 200, "pattern": "^[!-~]+$"},
    "header",
    description="Your own number for this call. Made again with the same key within 24 hours, it makes nothing twice "
    "and is answered as the first time; with another body it is refused (422).",
)
ID = "00000000-0000-0000-0000-000000000000"
INVALID = {
    "detail": "options.crf: GIF has no CRF. Leave it out and use quality, 0 to 100.",
    "errors": [
        {
            "field": "options.crf",
            "pointer": "#/options/crf",
            "detail": "GIF has no CRF. Leave it out and use quality, 0 to 100.",
        }
    ],
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "invalid": INVALID,
    "conflict": {"detail": 'This job is over ("Done"): there is nothing to cancel.'},
    "gone": {"detail": "This file is not kept any more. Run the job again to make it anew."},
    "forbidden": {"detail": "You may look at this project but not change it. Ask its owner to make you an editor."},
    "too-large": {"detail": "The upload has 5.0 GB; at most 4.0 GB are taken. Cut the video, or encode it smaller."},
}
# Bodies of calls whose views give no example of their own: one for each, as in docs/api.md.
BODIES: dict[str, dict[str, Any]] = {
    "post token/": {"username": "alice", "password": "correct horse", "name": "laptop", "scope": "write", "days": 30},
    "post tokens/": {"name": "watches the queue", "scope": "read", "days": 30},
    "post projects/": {"name": "Holiday"},
    "patch projects/{id}/": {"name": "Holiday by the sea"},
    "post projects/{id}/members/": {"username": "bob", "role": "viewer"},
    "post sources/": {"project": ID, "sample": True},
    "post sources/{id}/prediction/": {"options": {"mode": "slow", "inbetween": 3}},
    "post trials/{id}/promote/": {"side": "first"},
    "patch jobs/{id}/": {"tags": ["night"], "notes": "The sign on the left wobbles."},
    "post jobs/{id}/rerun/": {"options": {"quality": 95}},
    "post jobs/{id}/redraw/": {"start": "0:04", "end": "0:06.5", "options": {"cut": "crossfade"}},
    "post jobs/{id}/links/": {"days": 7, "password": "swordfish"},
    "post jobs/compare/": {"jobs": [ID, "00000000-0000-0000-0000-000000000001"]},
}
PROBLEM = {
    "type": "object",
    "description": "What went wrong, as of RFC 9457.",
    "required": ["type", "title", "status", "detail", "instance", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "An address that says more of the kind."},
        "title": {"type": "string", "description": "The kind in a few words, for people; `code` is for programs."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong this time, and what to do."},
        "instance": {"type": "string", "description": "The address that was asked."},
        "code": {"type": "string", "enum": list(KINDS), "description": "The kind, for programs."},
        "errors": {
            "type": "array",
            "description": "Every single field that is wrong.",
            "items": {
                "type": "object",
                "required": ["field", "pointer", "detail"],
                "properties": {
                    "field": {"type": "string", "description": "`options.crf`; empty for the body as a whole."},
                    "pointer": {"type": "string", "description": "JSON pointer into the body: `#/options/crf`."},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "interpolation.api.authentication.ScopedTokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        words = "`Token ` and a token of the account page, of `manage.py create_token`, or of `POST /token/`."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": words}


class Schema(AutoSchema):
    def get_override_parameters(self) -> list[Any]:
        keys = self.method == "POST" and self.get_auth() and not self.path.startswith(f"{ROOT}uploads/")
        return [KEY] if keys else []


def add_problems(result: dict[str, Any], **given: Any) -> dict[str, Any]:
    """Every call's error answers; what they look like is one component."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    used: set[int] = set()
    for path, operations in result.get("paths", {}).items():
        for method, operation in operations.items():
            statuses = errors_of(path, method, operation)
            used |= statuses
            for status in sorted(statuses):
                operation["responses"].setdefault(str(status), {"$ref": f"#/components/responses/Problem{status}"})
    components["responses"] = {f"Problem{status}": response(status) for status in sorted(used)}
    return result


def add_examples(result: dict[str, Any], **given: Any) -> dict[str, Any]:
    """Something to begin with under every call that takes JSON."""
    for call, body in BODIES.items():
        method, _, path = call.partition(" ")
        content = result["paths"][f"{ROOT}{path}"][method]["requestBody"]["content"]["application/json"]
        content.setdefault("examples", {"Example": {"value": body}})
    return result


def errors_of(path: str, method: str, operation: dict[str, Any]) -> set[int]:
    public = operation.get("security") == [] or f"{ROOT}problems/" in path or path == f"{ROOT}token/"
    found = {429} if public else {401, 403, 429}
    places = {parameter["in"] for parameter in operation.get("parameters", [])}
    if "path" in places:
        found.add(404)
    if "query" in places:
        found.add(400)
    if path == f"{ROOT}uploads/" and method == "post":
        return found | {400, 404, 409, 412, 413, 415, 460, 507}
    if path.startswith(f"{ROOT}uploads/") and method != "get":
        return found | {412, 423} | ({400, 409, 410, 413, 415, 460, 507} if method == "patch" else set())
    if method == "get":
        last = path.rstrip("/").rsplit("/", 1)[-1]
        return found | ({409} if last in ("figures", "{what}") else set()) | ({410, 416} if last == "{what}" else set())
    found |= {409}
    if method == "post":
        found |= {400, 422, 507}
    if "requestBody" in operation:
        found |= {400, 403, 404, 413, 415}
    return found - ({404, 409, 422} if public else set())


def response(status: int) -> dict[str, Any]:
    kinds = {code: kind for code, kind in KINDS.items() if kind.status == status}
    examples = {
        code: {
            "value": {
                "type": f"{ROOT}problems/{code}/",
                "title": kind.title,
                "status": status,
                "detail": kind.when,
                "instance": f"{ROOT}jobs/{ID}/",
                "code": code,
            }
            | EXAMPLES.get(code, {})
        }
        for code, kind in kinds.items()
    }
    made: dict[str, Any] = {
        "description": " ".join(f"`{code}`: {kind.title}. {kind.when}" for code, kind in kinds.items()),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}},
    }
    if status in (409, 429):
        made["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return made
