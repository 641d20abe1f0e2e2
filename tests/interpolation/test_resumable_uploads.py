"""The tus protocol at /api/v1/uploads/: every status code, who may, what is kept of a line that broke, what expires."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from interpolation import services
from interpolation.models import Project, ResumableUpload, Source, UserLimits
from interpolation.reaper import reap_once
from interpolation.services import disk
from interpolation.services.resumable import held

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("probed_here")]
UPLOADS = "/api/v1/uploads/"
BYTES = "application/offset+octet-stream"
TUS = {"Tus-Resumable": "1.0.0"}


class Tus:
    """A client that speaks the protocol: a call returns the answer."""

    def __init__(self, user: User, **token: Any) -> None:
        _, text = services.token_create(user=user, **token)
        self.client = Client(headers={"Authorization": f"Token {text}"})

    def create(self, project: Project, size: int, body: bytes = b"", **more: str) -> Any:
        given = {"project": str(project.pk), "filename": "tiny.mp4", **more.pop("metadata", {})}
        headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": encoded(given), **more}
        return self.client.post(UPLOADS, body, content_type=BYTES, headers=headers)

    def patch(self, address: str, offset: int, body: bytes, kind: str = BYTES, **more: str) -> Any:
        headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": kind, **more}  # of an empty body, too
        return self.client.patch(address, body, kind, headers=headers)

    def head(self, address: str, headers: dict[str, str] = TUS) -> Any:
        return self.client.head(address, headers=headers)

    def delete(self, address: str) -> Any:
        return self.client.delete(address, headers=TUS)


def encoded(pairs: dict[str, str]) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in pairs.items())


def problem(answer: Any, status: int, code: str) -> str:
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    assert answer["Tus-Resumable"] == "1.0.0"
    detail: str = body["detail"]
    return detail


@pytest.fixture
def tus(alice: User) -> Tus:
    return Tus(alice)


@pytest.fixture
def clip(tiny_clip: Path) -> bytes:
    return tiny_clip.read_bytes()


@pytest.fixture
def begun(tus: Tus, project: Project, clip: bytes) -> str:
    """The address of an upload of which the first hundred bytes are here."""
    address: str = tus.create(project, len(clip))["Location"]
    assert tus.patch(address, 0, clip[:100]).status_code == 204
    return address


# -- The way it goes ---------------------------------------------------------------------------------------------------


def test_options_say_what_is_spoken(tus: Tus, alice: User) -> None:
    UserLimits.objects.create(user=alice, upload_mb=7)
    answer = tus.client.options(UPLOADS)
    assert answer.status_code == 204
    assert answer["Tus-Version"] == answer["Tus-Resumable"] == "1.0.0"
    assert answer["Tus-Extension"] == "creation,creation-with-upload,expiration,termination,checksum"
    assert answer["Tus-Max-Size"] == str(7 << 20)
    assert "sha1" in answer["Tus-Checksum-Algorithm"].split(",")


def test_a_file_in_two_pieces_becomes_a_source(tus: Tus, project: Project, clip: bytes, media_root: Path) -> None:
    made = tus.create(project, len(clip))
    assert (made.status_code, made["Upload-Offset"]) == (201, "0")
    address = made["Location"]
    first = tus.patch(address, 0, clip[:500])
    assert (first.status_code, first["Upload-Offset"]) == (204, "500")
    assert "Upload-Expires" in first and "Inbetween-Source" not in first
    last = tus.patch(address, 500, clip[500:])
    assert (last.status_code, last["Upload-Offset"]) == (204, str(len(clip)))
    source = Source.objects.get()
    assert last["Inbetween-Source"] == str(source.pk)
    assert (source.name, source.project, source.info["frame_count"]) == ("tiny.mp4", project, 8)
    assert source.path.read_bytes() == clip
    assert list((media_root / "uploads").iterdir()) == []
    told = tus.client.get(address).json()
    assert (told["status"], told["source"], told["offset"], told["error"]) == ("done", str(source.pk), len(clip), "")
    assert tus.head(address)["Upload-Offset"] == str(len(clip))
    problem(tus.patch(address, len(clip), b""), 410, "gone")


def test_head_says_where_to_go_on_and_gives_the_metadata_back(tus: Tus, project: Project, clip: bytes) -> None:
    sent = {"project": str(project.pk), "filename": "Füße.mp4", "anything": "else"}
    made = tus.create(project, len(clip), metadata=sent)
    tus.patch(made["Location"], 0, clip[:77])
    answer = tus.head(made["Location"])
    assert (answer.status_code, answer.content) == (200, b"")
    assert (answer["Upload-Offset"], answer["Upload-Length"]) == ("77", str(len(clip)))
    assert (answer["Upload-Metadata"], answer["Cache-Control"]) == (encoded(sent), "no-store")
    assert made.json()["name"] == "Füße.mp4"


def test_the_first_bytes_may_come_with_the_announcement(tus: Tus, project: Project, clip: bytes) -> None:
    part = tus.create(project, len(clip), clip[:9])
    assert (part.status_code, part["Upload-Offset"]) == (201, "9")
    whole = tus.create(project, len(clip), clip)
    assert (whole.status_code, whole["Upload-Offset"]) == (201, str(len(clip)))
    assert whole["Inbetween-Source"] == str(Source.objects.get().pk)
    refused = tus.create(project, 4, b"text")
    assert problem(refused, 400, "refused")
    assert ResumableUpload.objects.count() == 2, "what was refused at once was not announced"


def test_the_method_may_be_said_in_a_header(tus: Tus, begun: str, clip: bytes) -> None:
    headers = {**TUS, "Upload-Offset": "100", "X-HTTP-Method-Override": "PATCH"}
    assert tus.client.post(begun, clip[100:200], content_type=BYTES, headers=headers)["Upload-Offset"] == "200"
    assert tus.client.post(begun, headers={**TUS, "X-HTTP-Method-Override": "DELETE"}).status_code == 204
    assert tus.client.post(begun, headers=TUS).status_code == 405


def test_termination_removes_what_is_here(tus: Tus, begun: str, media_root: Path) -> None:
    assert tus.delete(begun).status_code == 204
    assert list((media_root / "uploads").iterdir()) == []
    problem(tus.delete(begun), 404, "not-found")
    assert tus.head(begun).status_code == 404


def test_a_zip_of_pictures_gets_its_frame_rate_from_the_metadata(
    tus: Tus, project: Project, tiny_pictures: tuple[Path, Path], tmp_path: Path
) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "frames.zip", "w") as pictures:
        for number, path in enumerate(tiny_pictures):
            pictures.write(path, f"f_{number}.png")
    body = (tmp_path / "frames.zip").read_bytes()
    tus.create(project, len(body), body, metadata={"filename": "frames.zip", "fps": "12"})
    assert Source.objects.get().info["fps"] in ("12", "12/1")


# -- What is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spoken", [{}, {"Tus-Resumable": "0.2.2"}])
def test_another_version_is_412_and_changes_nothing(tus: Tus, project: Project, begun: str, spoken: Any) -> None:
    calls = [
        tus.client.post(UPLOADS, headers={**spoken, "Upload-Length": "5"}),
        tus.client.patch(begun, b"x", BYTES, headers={**spoken, "Upload-Offset": "100"}),
        tus.client.delete(begun, headers=spoken),
    ]
    for answer in calls:
        assert "Tus-Resumable: 1.0.0" in problem(answer, 412, "precondition-failed")
        assert answer["Tus-Version"] == "1.0.0"
    assert tus.head(begun, spoken).status_code == 412
    assert (ResumableUpload.objects.count(), tus.head(begun)["Upload-Offset"]) == (1, "100")


@pytest.mark.parametrize("offset", [0, 99, 101])
def test_a_wrong_offset_is_409(tus: Tus, begun: str, offset: int) -> None:
    assert "100 bytes are here" in problem(tus.patch(begun, offset, b"x"), 409, "conflict")
    assert tus.head(begun)["Upload-Offset"] == "100"


@pytest.mark.parametrize("offset", ["", "-1", "1.5", "x", "9" * 30, "٣"])
def test_an_offset_that_is_no_number_is_400(tus: Tus, begun: str, offset: str) -> None:
    answer = tus.client.patch(begun, b"x", BYTES, headers={**TUS, "Upload-Offset": offset.encode().decode("latin-1")})
    assert answer.json()["errors"][0]["field"] == "Upload-Offset"


def test_another_content_type_is_415(tus: Tus, begun: str) -> None:
    assert BYTES in problem(tus.patch(begun, 100, b"{}", "application/json"), 415, "unsupported-media-type")


def test_more_bytes_than_announced_are_413(tus: Tus, begun: str, clip: bytes) -> None:
    problem(tus.patch(begun, 100, clip[100:] + b"x"), 413, "too-large")
    assert tus.head(begun)["Upload-Offset"] == "100"


def test_an_announcement_without_length_project_or_sense_is_400(tus: Tus, project: Project) -> None:
    metadata = encoded({"project": str(project.pk)})
    bad = [
        ({"Upload-Metadata": metadata}, "Upload-Length"),
        ({"Upload-Length": "-5", "Upload-Metadata": metadata}, "Upload-Length"),
        ({"Upload-Length": "5"}, "Upload-Metadata"),
        ({"Upload-Length": "5", "Upload-Metadata": "project not-base64!"}, "Upload-Metadata"),
        ({"Upload-Length": "5", "Upload-Metadata": metadata + ",x " + "A" * 5000}, "Upload-Metadata"),
        ({"Upload-Length": "5", "Upload-Metadata": metadata, "Upload-Checksum": "crc AAAA"}, "Upload-Checksum"),
        ({"Upload-Length": "5", "Upload-Metadata": metadata, "Upload-Checksum": "sha1 ?"}, "Upload-Checksum"),
    ]
    for headers, field in bad:
        answer = tus.client.post(UPLOADS, headers={**TUS, **headers})
        problem(answer, 400, "invalid")
        assert answer.json()["errors"][0]["field"] == field
    assert "empty" in problem(tus.create(project, 0), 400, "refused")
    assert "frame rate" in problem(tus.create(project, 5, metadata={"fps": "many"}), 400, "refused")
    problem(tus.create(project, 5, metadata={"project": "x"}), 400, "malformed")
    assert not ResumableUpload.objects.exists()


def test_limits_hold_before_anything_arrives(tus: Tus, project: Project, alice: User, settings: Settings) -> None:
    limits = UserLimits.objects.create(user=alice, upload_mb=1, storage_mb=2)
    assert "at most 1.0 MB" in problem(tus.create(project, (1 << 20) + 1), 413, "too-large")
    assert tus.create(project, 1 << 20).status_code == 201
    assert tus.create(project, 1 << 20).status_code == 201
    words = problem(tus.create(project, 1 << 20), 403, "limit-reached")
    assert "2.0 MB of 2.0 MB are used" in words, "what is announced has its room"
    assert services.storage_of(alice).arriving == 2 << 20
    limits.delete()
    settings.MIN_FREE_BYTES = 1 << 60
    assert "no room" in problem(tus.create(project, 5), 507, "disk-full")


def test_a_full_disk_is_507_and_what_has_arrived_stays(
    tus: Tus, begun: str, clip: bytes, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "free_bytes", lambda: 10)
    problem(tus.patch(begun, 100, clip[100:]), 507, "disk-full")
    monkeypatch.undo()
    assert tus.head(begun)["Upload-Offset"] == "100"


def test_a_disk_that_fills_up_while_bytes_arrive(
    tus: Tus, begun: str, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("interpolation.services.resumable.os.fsync", full)
    assert "What has arrived is kept" in problem(tus.patch(begun, 100, clip[100:150]), 507, "disk-full")
    monkeypatch.undo()
    assert tus.head(begun)["Upload-Offset"] == "150"


# -- Checksums ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sha1", "sha256", "sha512", "md5"])
def test_a_checksum_is_checked(tus: Tus, begun: str, clip: bytes, name: str) -> None:
    piece = clip[100:300]
    right = base64.b64encode(hashlib.new(name, piece).digest()).decode()
    wrong = base64.b64encode(hashlib.new(name, b"other").digest()).decode()
    refused = tus.patch(begun, 100, piece, **{"Upload-Checksum": f"{name} {wrong}"})
    assert "Send them again from 100" in problem(refused, 460, "checksum-mismatch")
    assert tus.head(begun)["Upload-Offset"] == "100"
    assert tus.patch(begun, 100, piece, **{"Upload-Checksum": f"{name} {right}"})["Upload-Offset"] == "300"


# -- Locks, crashes, expiry --------------------------------------------------------------------------------------------


def test_two_at_once_are_423(tus: Tus, begun: str) -> None:
    with held(ResumableUpload.objects.get()):
        assert "Another connection" in problem(tus.patch(begun, 100, b"x"), 423, "locked")
        problem(tus.delete(begun), 423, "locked")
        assert tus.head(begun)["Upload-Offset"] == "100"
    assert tus.patch(begun, 100, b"x").status_code == 204


def test_what_a_killed_process_had_written_counts(tus: Tus, begun: str, clip: bytes) -> None:
    """Its row knows nothing of it; the file does."""
    with ResumableUpload.objects.get().path.open("ab") as file:
        file.write(clip[100:200])
    assert tus.head(begun)["Upload-Offset"] == "200"
    assert tus.patch(begun, 200, clip[200:])["Inbetween-Source"] == str(Source.objects.get().pk)


def test_a_process_that_was_killed_while_it_looked_into_the_file(tus: Tus, begun: str, clip: bytes) -> None:
    upload = ResumableUpload.objects.get()
    upload.path.write_bytes(clip)
    upload.path.with_suffix(".taken").write_bytes(b"left over")
    ResumableUpload.objects.update(status="looking")
    assert tus.client.get(begun).json()["status"] == "looking"
    assert tus.head(begun)["Upload-Offset"] == str(len(clip))
    assert tus.patch(begun, len(clip), b"")["Inbetween-Source"] == str(Source.objects.get().pk)


def test_an_upload_expires_and_every_piece_puts_that_off(
    tus: Tus, begun: str, media_root: Path, settings: Settings
) -> None:
    ResumableUpload.objects.update(expires_at=timezone.now() + timedelta(seconds=1))
    tus.patch(begun, 100, b"x")
    assert ResumableUpload.objects.get().expires_at > timezone.now() + timedelta(hours=71)
    assert reap_once().uploads == []
    ResumableUpload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert tus.head(begun).status_code == 410
    assert tus.client.get(UPLOADS).json()["results"] == []
    number = ResumableUpload.objects.get().pk
    assert reap_once().uploads == [number]
    assert not ResumableUpload.objects.exists()
    assert list((media_root / "uploads").iterdir()) == []
    assert tus.head(begun).status_code == 404


def test_files_whose_row_is_gone_are_swept_after_a_while(tus: Tus, begun: str, media_root: Path) -> None:
    import os

    ResumableUpload.objects.all().delete()
    reap_once()
    (file,) = (media_root / "uploads").iterdir()
    os.utime(file, (1, 1))
    reap_once()
    assert list((media_root / "uploads").iterdir()) == []


# -- Files that cannot be taken ----------------------------------------------------------------------------------------


def test_what_is_no_video_is_refused_in_words_that_can_be_read_again(
    tus: Tus, project: Project, media_root: Path
) -> None:
    body = b"just words, and not a film"
    address = tus.create(project, len(body))["Location"]
    words = problem(tus.patch(address, 0, body), 400, "refused")
    assert "This is a text, not a video" in words
    told = tus.client.get(address).json()
    assert (told["status"], told["error"], told["source"]) == ("refused", words, None)
    assert [row["id"] for row in tus.client.get(UPLOADS).json()["results"]] == [told["id"]]
    assert tus.head(address)["Upload-Offset"] == str(len(body))
    problem(tus.patch(address, len(body), b""), 410, "gone")
    assert [path for path in media_root.rglob("*") if path.is_file()] == []
    assert tus.delete(address).status_code == 204


def test_what_there_is_no_room_for_yet_is_kept_and_taken_later(
    tus: Tus, project: Project, alice: User, clip: bytes
) -> None:
    limits = UserLimits.objects.create(user=alice, minutes=0.001)
    address = tus.create(project, len(clip))["Location"]
    words = problem(tus.patch(address, 0, clip), 403, "limit-reached")
    told = tus.client.get(address).json()
    assert (told["status"], told["error"], told["offset"]) == ("arriving", words, len(clip))
    limits.delete()
    assert tus.patch(address, len(clip), b"")["Inbetween-Source"] == str(Source.objects.get().pk)
    assert Source.objects.get().path.read_bytes() == clip


def test_a_failure_inside_loses_nothing(tus: Tus, begun: str, clip: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("interpolation.services.sources.Source.objects.create", broken)
    with pytest.raises(RuntimeError):
        tus.patch(begun, 100, clip[100:])
    monkeypatch.undo()
    assert tus.client.get(begun).json()["status"] == "arriving"
    assert tus.patch(begun, len(clip), b"").status_code == 204
    assert Source.objects.get().path.read_bytes() == clip


def test_where_disks_know_no_second_names_the_file_is_copied(
    tus: Tus, begun: str, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("interpolation.services.resumable.os.link", refuse)
    assert tus.patch(begun, 100, clip[100:]).status_code == 204
    assert Source.objects.get().path.read_bytes() == clip


# -- Who may -----------------------------------------------------------------------------------------------------------


def test_roles(tus: Tus, project: Project, bob: User, begun: str, clip: bytes) -> None:
    others = Tus(bob)
    problem(others.create(project, 5), 404, "not-found")
    services.member_set(project=project, username="bob", role="viewer")
    assert "ask its owner" in problem(others.create(project, 5), 403, "forbidden").lower()
    services.member_set(project=project, username="bob", role="editor")
    mine = others.create(project, len(clip))["Location"]
    assert others.head(begun).status_code == 404, "an upload is known to who sends it"
    problem(others.patch(begun, 100, b"x"), 404, "not-found")
    problem(others.delete(begun), 404, "not-found")
    services.member_set(project=project, username="bob", role="viewer")
    problem(others.patch(mine, 0, clip), 403, "forbidden")
    services.project_delete(project=project, user=project.owner)
    problem(tus.patch(begun, 100, b"x"), 404, "not-found")


def test_a_token_that_may_only_read_sends_nothing(alice: User, project: Project, begun: str) -> None:
    reader = Tus(alice, scope="read")
    problem(reader.create(project, 5), 403, "forbidden")
    problem(reader.patch(begun, 100, b"x"), 403, "forbidden")
    assert reader.head(begun)["Upload-Offset"] == "100"


def test_a_session_sends_only_with_its_csrf_token(alice: User, project: Project, clip: bytes) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    client.get(f"/projects/{project.pk}/")
    headers = {**TUS, "Upload-Length": str(len(clip)), "Upload-Metadata": encoded({"project": str(project.pk)})}
    assert client.post(UPLOADS, b"", content_type=BYTES, headers=headers).status_code == 403
    assert client.post(UPLOADS, clip, content_type=BYTES, headers=headers).status_code == 403
    csrf = {"X-CSRFToken": client.cookies["csrftoken"].value}
    assert client.post(UPLOADS, clip, content_type=BYTES, headers={**headers, **csrf}).status_code == 201
    made = client.post(UPLOADS, b"", content_type=BYTES, headers={**headers, **csrf})
    assert made.status_code == 201
    address, bytes_of = made["Location"], {**TUS, "Upload-Offset": "0"}
    assert client.patch(address, clip, BYTES, headers=bytes_of).status_code == 403
    assert client.patch(address, clip, BYTES, headers={**bytes_of, **csrf}).status_code == 204


def test_only_so_many_are_unfinished(tus: Tus, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interpolation.services.resumable.MOST", 1)
    assert tus.create(project, 5).status_code == 201
    assert "unfinished" in problem(tus.create(project, 5), 403, "limit-reached")


def test_administrators_see_uploads_and_remove_them(begun: str, admin_client: Client, media_root: Path) -> None:
    page = admin_client.get("/admin/interpolation/resumableupload/").content.decode()
    assert "tiny.mp4" in page and "alice" in page
    number = ResumableUpload.objects.get().pk
    admin_client.post("/admin/interpolation/resumableupload/", {"action": "remove", "_selected_action": [str(number)]})
    assert not ResumableUpload.objects.exists()
    assert list((media_root / "uploads").iterdir()) == []
