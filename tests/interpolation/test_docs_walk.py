"""docs/api.md is walked as it is written: its shell snippets, word by word, against a live server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer

from interpolation import runner, services
from interpolation.models import Job, Source

GUIDE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
TOOLS = ("bash", "curl", "jq", "awk")
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("probed_here"),
    pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}"),
]


def snippet(heading: str) -> str:
    """The first shell snippet under a heading."""
    part = GUIDE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    found = re.search(r"^```sh\n(.*?)^```", part, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


class Shell:
    """A shell beside the files that the guide names. It stops at what fails, and remembers what was set."""

    def __init__(self, folder: Path, url: str, token: str) -> None:
        self.folder, self.url = folder, url
        self.kept = {"TOKEN": token}

    def run(self, script: str) -> str:
        script = script.replace("http://127.0.0.1:8000", self.url)
        ending = "\nprintf '\\n--kept--\\n'; for name in URL AUTH TUS BYTES PROJECT SOURCE JOB UPLOAD; do "
        ending += 'printf "%s=%s\\n" $name "${!name}"; done'
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script + ending],
            cwd=self.folder,
            env={**os.environ, **self.kept},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        said, _, kept = done.stdout.partition("\n--kept--\n")
        self.kept |= dict(line.split("=", 1) for line in kept.splitlines() if line)
        return said


@pytest.fixture
def shell(
    live_server: LiveServer, alice: User, tiny_clip: Path, tiny_pictures: tuple[Path, Path], tmp_path: Path
) -> Shell:
    folder = tmp_path / "walk"
    folder.mkdir()
    shutil.copy(tiny_clip, folder / "clip.mp4")
    names = ("a.png", "b.png", "f_1.png", "f_2.png", "f_3.png")
    for place, name in enumerate(names):
        shutil.copy(tiny_pictures[place % 2], folder / name)
    with zipfile.ZipFile(folder / "frames.zip", "w") as pictures:
        for name in names[2:]:
            pictures.write(folder / name, name)
    _, token = services.token_create(user=alice)
    return Shell(folder, live_server.url, token)


def test_from_a_project_to_a_downloaded_result_with_curl(shell: Shell) -> None:
    before, result, after = snippet("With curl").partition("# The result")
    shell.run(before)
    names = Source.objects.order_by("created_at").values_list("name", flat=True)
    assert list(names) == ["clip.mp4", "a.png + b.png", "Sample clip", "frames.zip", "f_1.png + 2 more"]
    job = Job.objects.get()
    assert (str(job.pk), str(job.source_id)) == (shell.kept["JOB"], shell.kept["SOURCE"])
    services.job_claim(job_id=job.pk, worker="test")
    runner.run(str(job.pk), "test", lambda: False)
    said = shell.run(result + after)
    assert "psnr" in said or said.strip() == "null"  # three pictures may be too few to hide one
    made = {path.name for path in shell.folder.iterdir()} - {"clip.mp4", "a.png", "b.png", "frames.zip"}
    assert {"f_1-2x.mp4", "f_1-2x-pictures.zip"} <= made, made


def test_a_large_file_in_pieces_with_curl(shell: Shell, tiny_clip: Path) -> None:
    first = snippet("With curl").partition("SOURCE=")[0]
    shell.run(first)
    shell.run(snippet("Large files").replace("head -c 50000000", "head -c 1500"))
    source = Source.objects.get()
    assert str(source.pk) == shell.kept["SOURCE"]
    assert source.name == "clip.mp4" and source.path.read_bytes() == tiny_clip.read_bytes()


def test_the_token_for_name_and_password(shell: Shell, alice: User) -> None:
    asked = """curl -s -H "Content-Type: application/json" http://127.0.0.1:8000/api/v1/token/ \\
        -d '{"username": "alice", "password": "correct horse"}'"""
    assert json.loads(shell.run(asked))["token"]
