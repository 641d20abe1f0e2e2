"""The dashboard counts exactly the jobs it is about, and draws only what there is to see."""

from __future__ import annotations

import pytest
from django.test import Client

from interpolation.dashboard import PSNR_BINS, distribution

from .pages import METRICS, finished_job, job_of, person, source_of


@pytest.fixture
def page(db: None) -> Client:
    client = Client()
    client.force_login(person("ada"))
    return client


def test_without_jobs_it_says_what_will_be_here_and_loads_no_charts(page: Client) -> None:
    words = page.get("/metrics/").content.decode()
    assert "No figures yet" in words
    assert "plotly" not in words


def test_frames_states_and_figures_are_those_of_my_jobs(page: Client) -> None:
    from django.contrib.auth.models import User

    ada = User.objects.get(username="ada")
    film = source_of(ada)
    better = {**METRICS, "held_out": {**METRICS["held_out"], "psnr": 40.42}}
    finished_job(film, model_name="meadow")
    finished_job(film, better, model_name="meadow")
    job_of(film, "failed")
    finished_job(source_of(person("bob")), model_name="other")
    shown = page.get("/metrics/").context
    assert (shown["count"], shown["frames"], shown["success"]) == (3, 176, 67)
    assert shown["psnr"] == pytest.approx(38.42)
    jobs, speed = shown["charts"]["jobs"]["data"], shown["charts"]["speed"]["data"]
    assert [(trace["name"], sum(trace["y"])) for trace in jobs] == [("Done", 2), ("Failed", 1)]
    assert [(trace["name"], trace["x"], trace["y"]) for trace in speed] == [("meadow", ["Below HD"], [143])]


def test_one_project_alone_and_strangers_learn_nothing(page: Client) -> None:
    from django.contrib.auth.models import User

    ada = User.objects.get(username="ada")
    one, other = source_of(ada), source_of(ada)
    finished_job(one)
    job_of(other)
    assert page.get(f"/metrics/?project={one.project_id}").context["count"] == 1
    assert page.get("/metrics/?project=anything").status_code == 404
    assert page.get(f"/metrics/?project={source_of(person('bob')).project_id}").status_code == 404


def test_the_site_is_for_administrators_and_names_no_projects(page: Client) -> None:
    secret = source_of(person("bob"))
    job_of(secret)
    assert page.get("/metrics/?scope=site").context["count"] == 0
    boss = person("boss")
    boss.is_staff = True
    boss.save()
    staff = Client()
    staff.force_login(boss)
    answer = staff.get("/metrics/?scope=site")
    assert answer.context["count"] == 1
    assert secret.project.name not in answer.content.decode()


def test_every_figure_falls_into_its_bin() -> None:
    chart = distribution([31.9, 32.0, 33.9, 12.0, 70.0], PSNR_BINS, "dB", "{:g}")
    assert chart is not None
    (bars,) = chart["data"]
    counted = dict(zip(bars["x"], bars["y"], strict=True))
    assert {name: count for name, count in counted.items() if count} == {"20–22": 1, "30–32": 1, "32–34": 2, "48–50": 1}


def test_jobs_are_counted_in_whole_numbers_and_few_days_fill_the_chart(page: Client) -> None:
    from django.contrib.auth.models import User

    film = source_of(User.objects.get(username="ada"))
    for _ in range(2):
        finished_job(film)
    charts = page.get("/metrics/").context["charts"]
    assert {name: charts[name]["layout"]["yaxis"].get("dtick") for name in ("jobs", "psnr", "ssim", "speed")} == {
        "jobs": 1,
        "psnr": 1,
        "ssim": 1,
        "speed": None,
    }
    assert len(charts["jobs"]["data"][0]["x"]) == 14
