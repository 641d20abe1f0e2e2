"""History: found by words, state, model, size and date; in order; several at once; two beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from interpolation import services
from interpolation.models import Job, Member, Source
from interpolation.views.compared import differences

from .pages import METRICS, finished_job, job_of, person, source_of


@pytest.fixture
def film(ada: User) -> Source:
    return source_of(ada)


def names(page: Client, question: str = "") -> list[str]:
    """The jobs that the page lists, by what they are called, in its order."""
    return [job.source.name for job in page.get(f"/history/{question}").context["page"]]


@pytest.fixture
def three(ada: User, film: Source) -> Iterator[list[Job]]:
    """A finished film with good figures, a failed one in 4K a year ago, two pictures with worse figures."""
    worse = {**METRICS, "held_out": {**METRICS["held_out"], "psnr": 28.0}}
    good = finished_job(film, model_name="meadow")
    large = job_of(source_of(ada, width=3840, height=2160), "failed")
    Source.objects.filter(pk=large.source_id).update(name="city.mov")
    Job.objects.filter(pk=large.pk).update(created_at=timezone.now() - timedelta(days=365))
    pair = finished_job(source_of(ada, "pictures"), worse)
    Source.objects.filter(pk=pair.source_id).update(name="two.png")
    yield [good, large, pair]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("", ["two.png", "rabbit.mp4", "city.mov"]),
        ("?sort=oldest", ["city.mov", "rabbit.mp4", "two.png"]),
        ("?sort=name", ["city.mov", "rabbit.mp4", "two.png"]),
        ("?sort=best", ["rabbit.mp4", "two.png", "city.mov"]),
        ("?sort=worst", ["two.png", "rabbit.mp4", "city.mov"]),
        ("?q=rabbit", ["rabbit.mp4"]),
        ("?q=meadow+footage", ["rabbit.mp4"]),
        ("?q=nothing", []),
        ("?status=failed", ["city.mov"]),
        ("?status=failed&status=succeeded&sort=name", ["city.mov", "rabbit.mp4", "two.png"]),
        ("?model=meadow", ["rabbit.mp4"]),
        ("?size=uhd", ["city.mov"]),
        ("?size=sd", ["two.png", "rabbit.mp4"]),
        ("?until=2020-12-31", []),
        ("?status=&model=&q=&sort=name&size=", ["city.mov", "rabbit.mp4", "two.png"]),
    ],
)
def test_what_is_asked_for_is_listed(page: Client, three: list[Job], question: str, expected: list[str]) -> None:
    assert names(page, question) == expected


def test_a_range_of_dates_holds_its_first_and_last_day(page: Client, three: list[Job]) -> None:
    day = timezone.localdate()
    assert names(page, f"?since={day}&until={day}") == ["two.png", "rabbit.mp4"]
    assert names(page, f"?until={day - timedelta(days=1)}") == ["city.mov"]


def test_a_date_that_is_none_is_said_and_nothing_breaks(page: Client, three: list[Job]) -> None:
    answer = page.get("/history/?since=tomorrow")
    assert answer.status_code == 200
    assert "Enter a valid date." in answer.content.decode()


def test_somebody_elses_jobs_are_not_found(page: Client, film: Source) -> None:
    finished_job(source_of(person("bob")))
    assert names(page, "?q=rabbit") == []


def test_a_filter_that_is_typed_gets_the_list_alone(page: Client, three: list[Job]) -> None:
    answer = page.get("/history/?q=rabbit", headers={"HX-Request": "true"})
    words = answer.content.decode()
    assert words.lstrip().startswith('<div id="history-list"')
    assert "rabbit.mp4" in words and "two.png" not in words


def test_two_finished_jobs_of_a_source_are_compared(page: Client, film: Source) -> None:
    first = finished_job(film)
    second = finished_job(film, options={"inbetween": 3})
    answer = page.post("/history/act/", {"action": "compare", "job": [first.pk, second.pk]})
    assert answer.headers["Location"] == f"/compare/?a={first.pk}&b={second.pk}"
    shown = page.get(answer.headers["Location"])
    assert list(shown.context["differences"]) == [("In-between frames", "1", "3")]
    assert shown.context["figures"][0]["texts"] == ["36.42 dB", "36.42 dB"]


def test_what_drew_them_differs_only_where_both_are_known_and_is_told_apart_by_its_fingerprint(film: Source) -> None:
    first = finished_job(film, model_name="trained_model", model_sha256="aa" * 32)
    assert differences(first, job_of(film)) == []
    other = finished_job(film, model_name="trained_model", model_sha256="bb" * 32)
    assert differences(first, other) == [("Drawn by", "trained_model aaaaaaaaaaaa", "trained_model bbbbbbbbbbbb")]


def test_what_differs_is_said_in_the_words_of_the_form(film: Source) -> None:
    first, second = finished_job(film), finished_job(film, options={"mode": "slow", "sound": "drop", "held_out": False})
    assert [tuple(map(str, row)) for row in differences(first, second)] == [
        ("Mode", "Smooth", "Slow motion"),
        ("Quality measured", "yes", "no"),
        ("Sound", "Keep it", "Leave it out"),
    ]


def test_jobs_of_two_sources_are_not_compared_and_it_is_said_why(page: Client, ada: User, film: Source) -> None:
    jobs = [finished_job(film).pk, finished_job(source_of(ada)).pk]
    answer = page.post("/history/act/", {"action": "compare", "job": jobs}, follow=True)
    assert "Tick two finished jobs of the same source to compare them." in answer.content.decode()
    assert page.get(f"/compare/?a={jobs[0]}&b={jobs[1]}").status_code == 404


def test_a_strangers_job_cannot_be_compared_with(page: Client, film: Source) -> None:
    mine, other = finished_job(film), finished_job(source_of(person("bob")))
    assert page.get(f"/compare/?a={mine.pk}&b={other.pk}").status_code == 404


def test_what_one_job_refuses_is_said_and_the_others_are_done(page: Client, film: Source) -> None:
    waiting, done = job_of(film), finished_job(film)
    answer = page.post(
        "/history/act/", {"action": "cancel", "job": [waiting.pk, done.pk], "back": "/history/?sort=name"}, follow=True
    )
    assert answer.redirect_chain == [("/history/?sort=name", 302)]
    words = answer.content.decode()
    assert "1 job cancelled." in words and "there is nothing to cancel" in words
    waiting.refresh_from_db()
    assert waiting.status == "cancelled"


def test_bulk_actions_do_not_reach_somebody_elses_jobs(page: Client, film: Source) -> None:
    theirs = job_of(source_of(person("bob")))
    page.post("/history/act/", {"action": "cancel", "job": [theirs.pk]})
    theirs.refresh_from_db()
    assert theirs.status == "queued"


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_the_way_back_stays_on_this_site(page: Client, film: Source, back: str) -> None:
    answer = page.post("/history/act/", {"action": "cancel", "job": [job_of(film).pk], "back": back})
    assert answer.headers["Location"] == "/history/"


def test_my_own_live_and_just_ended_jobs_are_told_and_nobody_elses(page: Client, film: Source) -> None:
    waiting = job_of(film)
    ended = finished_job(film, finished_at=timezone.now())
    finished_job(film, finished_at=timezone.now() - timedelta(hours=1))
    job_of(source_of(person("bob")))
    told = page.get("/notices/").json()["notices"]
    assert {(one["id"], one["live"], one["text"]) for one in told} == {
        (str(waiting.pk), True, ""),
        (str(ended.pk), False, "rabbit.mp4 is done."),
    }


def test_tags_and_notes_find_jobs_and_several_are_tagged_at_once(page: Client, three: list[Job]) -> None:
    good, large, _pair = three
    page.post("/history/act/", {"action": "tag", "tags": "Client A, rough", "job": [good.pk, large.pk]})
    Job.objects.filter(pk=good.pk).update(notes="hands look odd")
    assert names(page, "?tag=client+a&sort=name") == ["city.mov", "rabbit.mp4"]
    assert names(page, "?q=rough&sort=name") == ["city.mov", "rabbit.mp4"]
    assert names(page, "?q=odd") == ["rabbit.mp4"]


def test_several_are_deleted_and_one_click_brings_them_back(page: Client, three: list[Job]) -> None:
    jobs = [three[0].pk, three[2].pk]
    answer = page.post("/history/act/", {"action": "delete", "job": jobs}, follow=True)
    assert [job.source.name for job in answer.context["page"]] == ["city.mov"]
    assert "2 jobs are deleted. They can be brought back for some days." in answer.content.decode()
    assert sorted(answer.context["undo"]) == sorted(map(str, jobs))
    page.post("/history/act/", {"action": "restore", "job": answer.context["undo"]})
    assert names(page, "?sort=name") == ["city.mov", "rabbit.mp4", "two.png"]
    assert page.get("/history/").context["undo"] == []


def test_a_viewer_sees_shared_jobs_and_is_told_that_they_cannot_delete_them(page: Client, ada: User) -> None:
    theirs = finished_job(source_of(person("bob")))
    Member.objects.create(project=theirs.project, user=ada, role="viewer")
    assert names(page) == ["rabbit.mp4"]
    answer = page.post("/history/act/", {"action": "delete", "job": [theirs.pk]}, follow=True)
    assert "You may look at this project but not change it." in answer.content.decode()
    assert names(page) == ["rabbit.mp4"]


def test_own_tags_are_offered_to_filter_by_and_nobody_elses(page: Client, three: list[Job]) -> None:
    services.job_tag(job=three[0], tags=["Night"])
    services.job_tag(job=finished_job(source_of(person("bob"))), tags=["Secret"])
    shown = page.get("/history/?tag=night").content.decode()
    assert '<option value="Night" selected>Night</option>' in shown and "Secret" not in shown
    assert names(page, "?tag=night") == ["rabbit.mp4"]


def test_where_nothing_fits_each_filter_can_be_taken_away_alone(page: Client, three: list[Job]) -> None:
    project = three[0].project
    asked = f"q=zebra&status=failed&project={project.pk}&since=2001-01-01&trials=only&sort=name"
    answer = page.get(f"/history/?{asked}")
    undoable = {str(label): (words, rest) for label, words, rest in answer.context["undoable"]}
    assert {label: words for label, (words, _) in undoable.items()} == {
        "Search": "zebra",
        "State": "Failed",
        "Project": project.name,
        "From": "2001-01-01",
        "Trials": "Trials only",
    }
    assert undoable["Search"][1] == asked.removeprefix("q=zebra&")
    assert undoable["Trials"][1] == asked.replace("&trials=only", "")
    shown = answer.content.decode()
    assert "Take away what you can do without:" in shown
    assert f'href="/history/?{undoable["State"][1].replace("&", "&amp;")}"' in shown


def test_one_filter_alone_leads_back_to_everything(page: Client, three: list[Job]) -> None:
    answer = page.get("/history/?q=zebra")
    assert [(words, rest) for _, words, rest in answer.context["undoable"]] == [("zebra", "")]
    assert "Take it away to see the others:" in answer.content.decode()


@pytest.mark.parametrize("asked", ["project=moon", "source=1", "model=nobody", "size=tiny", "since=yesterday"])
def test_a_filter_that_cannot_be_understood_is_said_and_can_be_taken_away(page: Client, asked: str) -> None:
    answer = page.get(f"/history/?{asked}&q=zebra")
    assert answer.status_code == 200
    assert asked.partition("=")[2] in [words for _, words, _ in answer.context["undoable"]]


def test_who_has_only_trials_is_shown_the_way_to_them(page: Client, film: Source) -> None:
    finished_job(film, trial=True)
    shown = page.get("/history/").content.decode()
    assert "Only trials so far" in shown and 'href="/history/?trials=only"' in shown
    assert names(page, "?trials=only") == ["rabbit.mp4"] and names(page, "?trials=with") == ["rabbit.mp4"]
