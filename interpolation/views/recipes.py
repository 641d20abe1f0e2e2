"""A job as a command and as a script that start the same again: to copy from its page."""

from __future__ import annotations

import json
import shlex
from typing import Any

from engine.config import RenderOptions

from ..models import Job

SCRIPT = """import json, os, time, urllib.request

API = {api}
TOKEN = os.environ["INBETWEEN_TOKEN"]  # made on the account page

def ask(path, data=None):
    body = json.dumps(data).encode() if data else None
    headers = {{"Authorization": f"Token {{TOKEN}}", "Content-Type": "application/json"}}
    return urllib.request.urlopen(urllib.request.Request(API + path, body, headers))

job = json.load(ask("jobs/", {{"source": {source}, "options": {options}}}))
while job["status"] in ("queued", "running"):
    time.sleep(2)
    job = json.load(ask(f"jobs/{{job['id']}}/"))
print(job["status"], job["id"])
if job["status"] == "succeeded":
    with ask(f"jobs/{{job['id']}}/download/master/") as film, open({file}, "wb") as result:
        while piece := film.read(1 << 20):
            result.write(piece)
"""


def recipes(job: Job, api: str) -> dict[str, str]:
    """{"curl", "python"}. api: the address under which the API of this portal answers, with its last stroke.

    Only what differs from the usual settings is said. Nothing for a film of which a part was drawn anew: its settings
    are not those of one job.
    """
    if job.base_id is not None:
        return {}
    options = changed_options(job)
    body = json.dumps({"source": str(job.source_id), "options": options}, ensure_ascii=False)
    curl = [
        f"curl {shlex.quote(api + 'jobs/')}",
        '  -H "Authorization: Token $INBETWEEN_TOKEN"',
        '  -H "Content-Type: application/json"',
        f"  -d {shlex.quote(body)}",
    ]
    file = f"result{file_ending(job)}"
    words = {"api": api, "source": str(job.source_id), "file": file}
    script = SCRIPT.format(options=repr(options), **{name: json.dumps(value) for name, value in words.items()})
    return {"curl": " \\\n".join(curl), "python": script}


def changed_options(job: Job) -> dict[str, Any]:
    usual = RenderOptions().to_dict()
    return {name: value for name, value in job.options.items() if value != usual.get(name)}


def file_ending(job: Job) -> str:
    """Of the finished film; ".mp4" while there is none."""
    _, dot, ending = job.master.rpartition("/")[2].rpartition(".")
    return dot + ending if dot else ".mp4"
