"""One place decides: a stranger learns nothing, a viewer looks, an editor works, an owner shares and deletes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from interpolation import services
from interpolation.access import Act, Role, link_for, link_token, may, role_of
from interpolation.models import ApiToken, Job, Preview, Project, ShareLink, Source

from .pages import finished_job, person, source_of

SEE, CHANGE, MANAGE = Act.SEE, Act.CHANGE, Act.MANAGE


def acts(user: User, project: Project) -> set[Act]:
    return {act for act in Act if may(user, act, project)}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (None, set()),
        ("viewer", {SEE}),
        ("editor", {SEE, CHANGE}),
        ("owner", {SEE, CHANGE, MANAGE}),
    ],
)
def test_a_role_says_what_one_may_do(project: Project, bob: User, role: str | None, expected: set[Act]) -> None:
    if role:
        services.member_set(project=project, username="bob", role=role)
    assert acts(bob, project) == expected
    assert Project.objects.of(bob).exists() is bool(role)


def test_administrators_may_open_everything_and_their_lists_hold_their_own(project: Project, admin_user: User) -> None:
    assert acts(admin_user, project) == {SEE, CHANGE, MANAGE}
    assert Project.objects.reachable_by(admin_user).get() == project
    assert not Project.objects.of(admin_user).exists()


def test_staff_may_what_their_permissions_say(project: Project, bob: User) -> None:
    bob.is_staff = True
    bob.save()
    assert acts(bob, project) == set()
    bob.user_permissions.add(Permission.objects.get(codename="view_project"))
    assert acts(User.objects.get(pk=bob.pk), project) == {SEE}


def test_a_closed_account_may_nothing(project: Project, alice: User) -> None:
    alice.is_active = False
    assert role_of(alice, project) is None
    assert not Project.objects.of(alice).exists()


def test_a_member_has_one_role_and_loses_it(project: Project, bob: User) -> None:
    services.member_set(project=project, username="bob", role="viewer")
    member = services.member_set(project=project, username=" bob ", role="editor")
    assert role_of(bob, project) is Role.EDITOR
    services.member_remove(member=member)
    assert role_of(bob, project) is None


@pytest.mark.parametrize(
    ("username", "role", "words"),
    [
        ("nobody", "viewer", 'There is no user "nobody" here'),
        ("alice", "viewer", "alice owns this project already"),
        ("bob", "king", "Choose of: viewer, editor, owner"),
    ],
)
def test_who_cannot_be_a_member_is_said(project: Project, bob: User, username: str, role: str, words: str) -> None:
    with pytest.raises(services.ServiceError, match=words):
        services.member_set(project=project, username=username, role=role)


def test_a_viewer_is_told_that_they_may_not_change(project: Project, bob: User, bobs_api: APIClient) -> None:
    services.member_set(project=project, username="bob", role="viewer")
    answer = bobs_api.delete(f"/api/v1/projects/{project.pk}/")
    assert answer.status_code == 403
    assert "Only owners of this project may do this" in answer.content.decode()
    client = Client()
    client.force_login(bob)
    assert client.post(f"/projects/{project.pk}/sources/sample/").status_code == 403
    assert client.get(f"/projects/{project.pk}/").status_code == 200


# -- Links -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def shared(db: None) -> Job:
    job = finished_job(source_of(person("carol")))
    job.directory.mkdir(parents=True)
    for name in ("master.mp4", "preview.mp4", "segment.mp4"):
        (job.directory / name).write_bytes(b"0123456789")
    job.previews.filter(kind="video").update(file=f"jobs/{job.pk}/preview.mp4")
    Job.objects.filter(pk=job.pk).update(master=f"jobs/{job.pk}/master.mp4")
    job.refresh_from_db()
    return job


def link(job: Job, **more: object) -> ShareLink:
    return services.share_link_create(job=job, user=job.project.owner, **more)  # type: ignore[arg-type]


def test_the_address_of_a_link_cannot_be_guessed_or_changed(shared: Job) -> None:
    made, other = link(shared), link(shared)
    token = link_token(made.pk)
    assert link_for(token) == made
    wrong = [token[:-1] + ("A" if token[-1] != "A" else "B"), link_token(other.pk)[:22] + token[22:], "", "x" * 44, "é"]
    assert [link_for(text) for text in wrong] == [None] * 5


def test_a_link_shows_the_result_its_previews_and_the_download_and_nothing_else(shared: Job) -> None:
    client = Client()
    preview = f"/media/jobs/{shared.pk}/preview.mp4"
    assert client.get(preview).status_code == 404
    page = client.get(link(shared).get_absolute_url())
    assert page.status_code == 200
    assert preview in page.content.decode()
    assert client.get(preview).status_code == 200
    assert client.get(f"/jobs/{shared.pk}/download/master/").status_code == 200
    for address in (
        f"/media/jobs/{shared.pk}/segment.mp4",
        f"/media/{shared.source.file}",
    ):
        assert client.get(address).status_code == 404, address
    for address in (f"/jobs/{shared.pk}/", f"/projects/{shared.project_id}/"):
        assert client.get(address).status_code == 302, address  # to sign in
    assert "/projects/" not in page.content.decode()


def test_a_link_ends_when_it_is_revoked_or_over_or_the_job_is_deleted(shared: Job) -> None:
    for end in ("revoked", "over", "deleted"):
        made, client = link(shared), Client()
        assert client.get(made.get_absolute_url()).status_code == 200
        if end == "revoked":
            services.share_link_revoke(link=made)
        elif end == "over":
            ShareLink.objects.filter(pk=made.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        else:
            services.job_delete(job=shared)
        assert client.get(made.get_absolute_url()).status_code == 404, end
        assert client.get(f"/media/jobs/{shared.pk}/preview.mp4").status_code == 404, end
        assert client.get(f"/jobs/{shared.pk}/download/master/").status_code in (302, 404), end


def test_a_browser_may_send_the_password(shared: Job) -> None:
    """A page whose referrer is withheld makes browsers say "Origin: null", which the check of forms refuses."""
    client = Client(enforce_csrf_checks=True)
    address = link(shared, password="open sesame").get_absolute_url()
    page = client.get(address)
    assert page.headers["Referrer-Policy"] == "same-origin"
    given = {"password": "open sesame", "csrfmiddlewaretoken": page.context["csrf_token"]}
    assert client.post(address, given, headers={"Origin": "http://testserver"}).status_code == 302


def test_a_password_is_asked_for_and_tries_are_counted(shared: Job) -> None:
    made, client = link(shared, password="open sesame"), Client()
    address = made.get_absolute_url()
    assert made.password.startswith("md5$")  # hashed
    page = client.get(address)
    assert (page.status_code, "Password" in page.content.decode()) == (200, True)
    assert client.get(f"/media/jobs/{shared.pk}/preview.mp4").status_code == 404
    assert client.post(address, {"password": "wrong"}).status_code == 422
    assert client.post(address, {"password": "open sesame"}).status_code == 302
    assert client.get(f"/media/jobs/{shared.pk}/preview.mp4").status_code == 200
    for _ in range(10):
        Client().post(address, {"password": "wrong"})
    assert "Too many wrong passwords" in Client().post(address, {"password": "open sesame"}).content.decode()


def test_a_link_without_a_result_or_in_the_past_is_refused(shared: Job, quick_source: Source) -> None:
    with pytest.raises(services.ServiceError, match="no result to share yet"):
        link(services.job_create(source=quick_source, options={}))
    with pytest.raises(services.ServiceError, match="over before it begins"):
        link(shared, expires_at=timezone.now())


# -- Tokens ------------------------------------------------------------------------------------------------------------


def as_token(user: User, scope: str) -> tuple[ApiToken, APIClient]:
    row, token = services.token_create(user=user, name="script", scope=scope)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return row, client


def test_a_token_that_may_only_read_changes_nothing(alice: User, project: Project) -> None:
    row, client = as_token(alice, "read")
    assert client.get("/api/v1/projects/").status_code == 200
    answer = client.post("/api/v1/projects/", {"name": "new"}, format="json")
    assert answer.status_code == 403
    assert "This token may only read" in answer.content.decode()
    assert client.delete(f"/api/v1/projects/{project.pk}/").status_code == 403
    assert Project.objects.count() == 1
    row.refresh_from_db()
    assert row.last_used_at is not None


def test_a_token_that_may_write_does(alice: User) -> None:
    _, client = as_token(alice, "write")
    assert client.post("/api/v1/projects/", {"name": "new"}, format="json").status_code == 201


def test_a_token_is_over_when_it_says(alice: User) -> None:
    row, client = as_token(alice, "read")
    ApiToken.objects.filter(pk=row.pk).update(expiry=timezone.now() - timedelta(seconds=1))
    assert client.get("/api/v1/projects/").status_code == 401


def test_only_the_digest_of_a_token_is_kept(alice: User) -> None:
    row, token = services.token_create(user=alice, name="script", days=7)
    kept = " ".join(str(value) for value in ApiToken.objects.filter(pk=row.pk).values_list().get())
    assert token not in kept
    assert row.expiry is not None and timedelta(days=6.9) < row.expiry - timezone.now() < timedelta(days=7.1)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"scope": "all"}, "Choose of: read, write"),
        ({"days": 0}, "good for 1 to 365 days, not for 0"),
        ({"days": 366}, "not for 366"),
        ({"name": "x" * 81}, "81 characters"),
    ],
)
def test_a_token_that_cannot_be_is_refused_in_words(alice: User, given: dict[str, object], words: str) -> None:
    with pytest.raises(services.ServiceError, match=words):
        services.token_create(user=alice, **given)  # type: ignore[arg-type]


# -- Tags and notes ----------------------------------------------------------------------------------------------------


def test_tags_are_of_the_project_and_used_again(shared: Job) -> None:
    services.job_tag(job=shared, tags=["#Running  dogs", "night", "running dogs", " "])
    assert [tag.name for tag in shared.tags.all()] == ["night", "running dogs"]
    other = finished_job(shared.source)
    services.job_tag(job=other, tags=["NIGHT"])
    assert [tag.name for tag in other.tags.all()] == ["night"]
    services.job_tag(job=shared, tags=[])
    assert [tag.name for tag in shared.project.tags.all()] == ["night"]  # one that nothing has is gone


def test_too_many_tags_and_too_long_notes_are_refused(shared: Job) -> None:
    with pytest.raises(services.ServiceError, match="at most 20 tags; these are 21"):
        services.job_tag(job=shared, tags=[str(n) for n in range(21)])
    with pytest.raises(services.ServiceError, match="4001 characters"):
        services.job_note(job=shared, notes="x" * 4001)
    services.job_note(job=shared, notes="  The runner in the back flickers. ")
    assert Job.objects.get(pk=shared.pk).notes == "The runner in the back flickers."
    assert Preview.objects.filter(job=shared).count() == 10
