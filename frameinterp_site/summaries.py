"""What each call of the API does, in a sentence: the line that stands beside it in the description."""

from __future__ import annotations

import re
from typing import Any

from .problems import ROOT

# Calls whose views have no text of their own, or one that is too short to stand alone.
CALLS = {
    "post deleted/{kind}/{id}/restore/": "Bring back what was deleted, as it was.",
    "patch jobs/{id}/": "Change a job's tags and note.",
    "post jobs/{id}/cancel/": "Cancel a job. A waiting one is over at once, a running one within a second or so.",
    "delete jobs/{id}/links/{link}/": "Revoke a link: it shows nothing any more.",
    "patch projects/{id}/": "Rename a project.",
    "delete projects/{id}/members/{member}/": "Remove somebody. Owners remove anybody; everybody may leave.",
    "get bake-offs/{id}/": "One bake-off: its films, the round that is next, and the tally once it is revealed.",
    "get jobs/": "Jobs of all projects one sees, newest first.",
    "get jobs/{id}/": "One job: its settings, how far it is, its figures, and where its files are.",
    "delete jobs/{id}/": "Delete a job. It can be brought back for some days.",
    "get presets/{id}/": "One preset.",
    "delete presets/{id}/": "Delete a preset. Jobs made with it stay as they are.",
    "get projects/": "All projects one sees.",
    "post projects/": "Make a project.",
    "get projects/{id}/": "One project.",
    "delete projects/{id}/": "Delete a project with all in it. It can be brought back for some days.",
    "get sources/": "Sources of all projects one sees.",
    "get sources/{id}/": "One source, and what was found in it: size, rate, length, sound, cuts.",
    "delete sources/{id}/": "Delete a source; what was made of it stays. It can be brought back for some days.",
    "delete tokens/{digest}/": "Revoke a token.",
    "get training-runs/{id}/": "One run: its settings and how far it is.",
    "get trials/{id}/": "One trial: both films, and what they cost.",
    "get uploads/": "One's own uploads that are on their way.",
    "get uploads/{id}/": "One upload, and how much of it is here.",
    "get webhooks/{id}/": "One webhook.",
    "delete webhooks/{id}/": "Delete a webhook: nothing more is sent to its address.",
}
END = re.compile(r"(?<=\.)\s")


def add_summaries(result: dict[str, Any], **given: Any) -> dict[str, Any]:
    """The first sentence of every call's text, or of the list above."""
    for path, operations in result.get("paths", {}).items():
        for method, operation in operations.items():
            words = CALLS.get(f"{method} {path.removeprefix(ROOT)}")
            if words:
                operation["description"] = words
            operation["summary"] = END.split(" ".join(operation["description"].split()))[0].rstrip(".").replace("`", "")
    return result
