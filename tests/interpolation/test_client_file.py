"""The client in docs/examples against a live server: it uploads, waits, downloads."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer

from interpolation import runner, services
from interpolation.hooks import signature
from interpolation.models import Job, Source


def test_it_uploads_waits_and_downloads(
    client_file: Any, live_server: LiveServer, alice: User, tiny_clip: Path, tmp_path: Path
) -> None:
    _, token = services.token_create(user=alice)
    portal = client_file.Portal(live_server.url, token)
    project = portal.project_create("From a script")
    source = portal.upload(project["id"], tiny_clip)
    assert (source["name"], Source.objects.count()) == ("tiny.mp4", 1)

    def work(job: Any) -> None:
        """As a worker would, as soon as the job is seen to wait."""
        if job["status"] == "queued":
            services.job_claim(job_id=job["id"], worker="test")
            runner.run(job["id"], "test", lambda: False)

    job = portal.wait(portal.job_create(source["id"], {"inbetween": 1}, tags=["script"]), work, pause=0.05)
    film = portal.download(job, tmp_path / "result.mp4")
    assert film.stat().st_size > 500 and job["figures"]["frames"]["output"] == 16
    assert [found["id"] for found in portal.jobs(tag="script")] == [job["id"]]
    with pytest.raises(client_file.ProblemError) as refused:
        portal.cancel(job)
    assert (refused.value.status, refused.value.code) == (409, "conflict")


def test_two_models_are_judged_by_a_script(
    client_file: Any, live_server: LiveServer, alice: User, quick_source: Source, tmp_path: Path, monkeypatch: Any
) -> None:
    _, token = services.token_create(user=alice)
    portal = client_file.Portal(live_server.url, token)
    looks = []

    def meanwhile(seconds: float) -> None:
        """As workers would: one film between the first two looks, the other before the third."""
        looks.append(seconds)
        job = Job.objects.filter(status="queued").earliest("created_at")
        services.job_claim(job_id=job.pk, worker="test")
        runner.run(job.pk, "test", lambda: False)

    monkeypatch.setattr(client_file.time, "sleep", meanwhile)
    ready = portal.bake_off(str(quick_source.pk), "default", "blend")
    assert (len(looks), ready["stage"], ready["round"]) == (2, "blind", 1)
    films = [portal.fetch(ready["sides"][side]["film"], tmp_path / f"{side}.mp4").read_bytes() for side in "ab"]
    assert all(len(film) > 500 for film in films) and films[0] != films[1]
    over = portal.reveal(portal.vote(portal.vote(ready, "a"), "tie"))
    verdict = over["verdict"]
    assert (verdict["first"]["model"], verdict["second"]["model"], verdict["ties"]) == ("default", "blend", 1)
    assert verdict["first"]["votes"] + verdict["second"]["votes"] == 1


def test_a_large_file_goes_in_pieces_over_a_line_that_breaks(
    client_file: Any, live_server: LiveServer, alice: User, tiny_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_file, "LARGE", 1500)
    monkeypatch.setattr(client_file.time, "sleep", lambda seconds: None)
    _, token = services.token_create(user=alice)
    portal = client_file.Portal(live_server.url, token)
    project = portal.project_create("Large")
    send, sent = portal.send_piece, []

    def breaks(place: str, video: Path, offset: int) -> None:
        sent.append(offset)
        if len(sent) == 2:
            raise ConnectionResetError
        if len(sent) == 3:
            raise KeyboardInterrupt
        send(place, video, offset)

    monkeypatch.setattr(portal, "send_piece", breaks)
    with pytest.raises(KeyboardInterrupt):
        portal.upload(project["id"], tiny_clip)
    source = portal.upload(project["id"], tiny_clip)
    assert sent == [0, 1500, 1500, 1500, 3000]
    assert source["name"] == "tiny.mp4"
    assert Source.objects.get().path.read_bytes() == tiny_clip.read_bytes()


def test_a_large_file_that_is_no_film_is_refused_in_words(
    client_file: Any, live_server: LiveServer, alice: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_file, "LARGE", 10)
    _, token = services.token_create(user=alice)
    portal = client_file.Portal(live_server.url, token)
    (tmp_path / "words.mp4").write_text("just some words")
    with pytest.raises(client_file.ProblemError, match="This is a text, not a video"):
        portal.upload(portal.project_create("Words")["id"], tmp_path / "words.mp4")


def test_it_knows_messages_of_the_portal(client_file: Any) -> None:
    header = signature("secret", 1000, b"{}")
    assert client_file.signed_by("secret", header, b"{}", now=1010.0)
    assert not client_file.signed_by("other", header, b"{}", now=1010.0)
    assert not client_file.signed_by("secret", header, b"{} ", now=1010.0)
    assert not client_file.signed_by("secret", header, b"{}", now=2000.0)


def test_from_the_command_line_numbered_pictures_become_a_film(
    client_file: Any,
    live_server: LiveServer,
    alice: User,
    tiny_pictures: tuple[Path, Path],
    tmp_path: Path,
    probed_here: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with zipfile.ZipFile(tmp_path / "frames.zip", "w") as pictures:
        for number in range(3):
            pictures.write(tiny_pictures[number % 2], f"f_{number}.png")
    _, token = services.token_create(user=alice)
    monkeypatch.setenv("INBETWEEN_URL", live_server.url)
    monkeypatch.setenv("INBETWEEN_TOKEN", token)

    def meanwhile(seconds: float) -> None:
        """As a worker would; on a busy machine there may be nothing to do yet."""
        for job in Job.objects.filter(status="queued"):
            services.job_claim(job_id=job.pk, worker="test")
            runner.run(job.pk, "test", lambda: False)

    monkeypatch.setattr(client_file.time, "sleep", meanwhile)
    film = tmp_path / "result.mp4"
    assert client_file.main([str(tmp_path / "frames.zip"), str(film), "--fps", "12"]) == 0
    assert film.stat().st_size > 500 and f"{film}: {film.stat().st_size} bytes" in capsys.readouterr().out
    assert (Source.objects.get().info["fps"], Job.objects.get().metrics["frames"]["output"]) == ("12/1", 6)
    assert not list(tmp_path.glob(".*.part"))
    monkeypatch.setenv("INBETWEEN_TOKEN", "wrong")
    assert client_file.main([str(tmp_path / "frames.zip"), str(film)]) == 1
    assert "(401 not-authenticated)" in capsys.readouterr().err
