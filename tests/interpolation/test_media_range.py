"""Players ask for parts of a file; without parts they cannot seek."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from engine.formats import FORMATS
from interpolation.models import ApiToken, Job, Source
from interpolation.services import job_create

CONTENT = bytes(range(256)) * 40  # 10240 bytes
SIZE = len(CONTENT)


@pytest.fixture
def job(quick_source: Source) -> Job:
    job = job_create(source=quick_source, options={"inbetween": 3})
    job.directory.mkdir(parents=True)
    (job.directory / "master.mp4").write_bytes(CONTENT)
    Job.objects.update(status="succeeded", master=f"jobs/{job.pk}/master.mp4", metrics={"held_out": None})
    job.refresh_from_db()
    return job


@pytest.fixture
def client(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def address(job: Job) -> str:
    return f"/media/jobs/{job.pk}/master.mp4"


def test_the_whole_file(client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 200
    assert response.getvalue() == CONTENT
    assert response["Content-Type"] == "video/mp4"
    assert response["Content-Length"] == str(SIZE)
    assert response["Accept-Ranges"] == "bytes"
    assert "Content-Disposition" not in response.headers


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=100-199", 100, 199),
        ("bytes=10000-99999", 10000, SIZE - 1),
        ("bytes=-1", SIZE - 1, SIZE - 1),
        ("bytes=-500", SIZE - 500, SIZE - 1),
        ("bytes=-99999", 0, SIZE - 1),
        ("Bytes = 5 - 9", 5, 9),
    ],
)
def test_a_part(client: Client, address: str, asked: str, start: int, end: int) -> None:
    response = client.get(address, headers={"Range": asked})
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {start}-{end}/{SIZE}"
    assert response["Content-Length"] == str(end - start + 1)
    assert response.getvalue() == CONTENT[start : end + 1]


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=99999-100000", "bytes=-0"])
def test_a_part_that_is_not_there(client: Client, address: str, asked: str) -> None:
    response = client.get(address, headers={"Range": asked})
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{SIZE}"
    assert response.content == b""


@pytest.mark.parametrize("asked", ["bytes=9-5", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=0-1,5-6", "bytes=１-２"])
def test_what_is_not_one_range_gives_the_whole_file(client: Client, address: str, asked: str) -> None:
    response = client.get(address, headers={"Range": asked})
    assert response.status_code == 200
    assert response.getvalue() == CONTENT


def test_a_number_too_long_to_be_read_gives_the_whole_file(client: Client, address: str) -> None:
    response = client.get(address, headers={"Range": f"bytes=0-{'9' * 5000}"})
    assert response.status_code == 200
    assert response.getvalue() == CONTENT


def test_head_says_the_size_and_sends_nothing(client: Client, address: str) -> None:
    response = client.head(address)
    assert (response.status_code, response["Content-Length"], response.getvalue()) == (200, str(SIZE), b"")


def test_an_unchanged_file_is_not_sent_again(client: Client, address: str) -> None:
    etag = client.get(address)["ETag"]
    assert client.get(address, headers={"If-None-Match": etag}).status_code == 304
    assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_part_of_a_file_that_changed_gives_the_new_file(client: Client, address: str) -> None:
    first = client.get(address)
    for same in (first["ETag"], first["Last-Modified"]):
        assert client.get(address, headers={"Range": "bytes=0-9", "If-Range": same}).status_code == 206
    for other in ('"old"', "Sat, 01 Jan 2000 00:00:00 GMT"):
        assert client.get(address, headers={"Range": "bytes=0-9", "If-Range": other}).status_code == 200


def test_posting_to_a_file_is_not_allowed(client: Client, address: str) -> None:
    assert client.post(address).status_code == 405


def test_nginx_sends_the_file_when_it_is_told_where(client: Client, address: str, job: Job, settings: Settings) -> None:
    settings.ACCEL_REDIRECT = "/protected/"
    response = client.get(address)
    assert response["X-Accel-Redirect"] == f"/protected/jobs/{job.pk}/master.mp4"
    assert response["Content-Type"] == "video/mp4"
    assert response.content == b""


def test_the_master_is_downloaded_under_a_name_that_says_what_it_is(client: Client, job: Job) -> None:
    response = client.get(f"/jobs/{job.pk}/download/master/")
    assert response["Content-Disposition"] == 'attachment; filename="tiny-4x.mp4"'
    assert response.getvalue() == CONTENT


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"mode": "slow", "inbetween": 3}, "tiny-slow-4x.mp4"),
        ({"mode": "fps", "target_fps": "60000/1001"}, "tiny-60000_1001fps.mp4"),
        ({"duplicates": "drop"}, "tiny-without-repeats.mp4"),
    ],
)
def test_download_names_say_the_mode(client: Client, job: Job, options: dict[str, object], name: str) -> None:
    Job.objects.update(options=options)
    assert client.get(f"/jobs/{job.pk}/download/master/")["Content-Disposition"] == f'attachment; filename="{name}"'


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_downloaded_with_its_own_ending_and_kind(client: Client, job: Job, name: str) -> None:
    entry = FORMATS[name]
    master = job.directory / f"master{entry.suffix}"
    master.write_bytes(CONTENT)
    Job.objects.update(options={"format": name, "inbetween": 3}, master=f"jobs/{job.pk}/{master.name}")
    response = client.get(f"/jobs/{job.pk}/download/master/")
    assert response["Content-Type"] == entry.mime
    assert response["Content-Disposition"] == f'attachment; filename="tiny-4x{entry.suffix}"'
    assert response.getvalue() == CONTENT


def test_a_label_with_signs_cannot_break_out_of_the_header(client: Client, job: Job) -> None:
    Source.objects.update(name='évil"\r\nSet-Cookie: a=b.mp4')
    header = client.get(f"/jobs/{job.pk}/download/master/")["Content-Disposition"]
    assert header == "attachment; filename*=utf-8''%C3%A9vil%22%0D%0ASet-Cookie%3A%20a%3Db-4x.mp4"


def test_figures_are_json_with_all_that_was_measured(client: Client, job: Job) -> None:
    response = client.get(f"/jobs/{job.pk}/download/figures/")
    assert response["Content-Disposition"] == 'attachment; filename="tiny-4x-figures.json"'
    figures = json.loads(response.content)
    assert figures["metrics"] == {"held_out": None}
    assert figures["options"]["inbetween"] == 3
    assert figures["source"] == "tiny.mp4"


def test_downloading_changes_nothing(client: Client, job: Job) -> None:
    before = Job.objects.values().get(), sorted(job.directory.iterdir())
    for what in ("master", "figures"):
        client.get(f"/jobs/{job.pk}/download/{what}/").getvalue()
    assert (Job.objects.values().get(), sorted(job.directory.iterdir())) == before


@pytest.mark.parametrize("what", ["pictures", "everything"])
def test_what_is_not_kept_is_not_found(client: Client, job: Job, what: str) -> None:
    assert client.get(f"/jobs/{job.pk}/download/{what}/").status_code == 404


def test_an_unfinished_job_has_nothing_to_download(client: Client, job: Job) -> None:
    Job.objects.update(status="running")
    assert client.get(f"/jobs/{job.pk}/download/figures/").status_code == 404


def test_a_script_downloads_with_its_token_and_a_stranger_or_a_wrong_token_finds_nothing(
    job: Job, alice: User, bob: User, address: str
) -> None:
    def asked(token: str, path: str) -> int:
        return Client().get(path, headers={"Authorization": f"Token {token}"}).status_code

    (_, mine), (_, theirs) = (ApiToken.objects.create(user) for user in (alice, bob))
    for path in (address, f"/jobs/{job.pk}/download/master/", f"/jobs/{job.pk}/download/figures/"):
        assert [asked(token, path) for token in (mine, theirs, "wrong")] == [200, 404, 404]
