"""`manage.py up` for real: it starts, says how to get in, keeps running, and leaves nothing behind."""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from frameinterp_site.clusterwatch import LOOK_EVERY

from .portal import PASSWORD, Browser, Portal, wait_for


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """One portal for the tests below, in their order: starting it is what takes time."""
    portal = Portal(tmp_path_factory.mktemp("portal") / "data")
    portal.start()
    yield portal
    portal.clean_up()


@pytest.fixture
def rival(tmp_path: Path) -> Iterator[Portal]:
    rival = Portal(tmp_path / "data")
    yield rival
    rival.clean_up()


def refusal(portal: Portal) -> str:
    """What an `up` that cannot start says; it must end by itself with exit code 1."""
    assert portal.launch().wait(30) == 1
    return portal.output.strip()


def answers(portal: Portal) -> bool:
    try:
        with urllib.request.urlopen(f"{portal.url}/health/", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def cluster(portal: Portal) -> list[psutil.Process]:
    """The training cluster, oldest first: its main process, the sentinel, the worker, its two helpers."""
    return portal.named("manage.py", "worker", "training")


def test_the_pages_answer_and_the_printed_password_opens_them(portal: Portal) -> None:
    password = PASSWORD.search(portal.output)
    assert password and portal.output.count(password.group(1)) == 1
    assert portal.url in portal.output
    assert Browser(portal).get("/")[0] == 200
    assert Browser(portal).sign_in("admin", password.group(1))
    assert not Browser(portal).sign_in("admin", "something else")


def test_the_health_page_is_well_once_all_parts_run(portal: Portal) -> None:
    assert wait_for(lambda: answers(portal), 30), Browser(portal).get("/health/")


def test_a_second_up_on_the_same_folder_is_refused_in_one_line(portal: Portal) -> None:
    twin = Portal(portal.data)
    twin.starts = 100
    message = refusal(twin)
    assert message.count("\n") == 0
    assert message.startswith(f"A portal is already running on the data folder {portal.data}: {portal.url}")


def test_a_taken_port_is_refused_in_one_line_with_a_free_one_to_use(portal: Portal, rival: Portal) -> None:
    rival.port = portal.port
    message = refusal(rival)
    assert re.fullmatch(
        rf"Port {portal.port} is taken by another program\. Choose another one: make up PORT=\d+", message
    )


def test_a_web_server_that_dies_is_started_again(portal: Portal) -> None:
    before = {process.pid for process in portal.named("gunicorn")}
    portal.named("gunicorn")[0].kill()
    assert wait_for(lambda: not before & {process.pid for process in portal.named("gunicorn")}, 10)
    assert wait_for(lambda: answers(portal), 20)
    assert "web server ended (exit -9); starting it again" in portal.output


def test_a_killed_sentinel_takes_its_workers_with_it_and_all_come_back(portal: Portal) -> None:
    before = cluster(portal)
    assert len(before) == 5
    before[1].kill()
    assert wait_for(lambda: len(cluster(portal)) == 5 and not set(cluster(portal)) & set(before), 20)
    assert "training worker ended (exit 0); starting it again" in portal.output


def test_an_idle_worker_that_is_killed_does_not_leave_its_cluster_hanging(portal: Portal) -> None:
    """Its successor would wait for ever for the lock of the queue, which died with it."""
    time.sleep(LOOK_EVERY)  # until the cluster has been seen whole
    before = cluster(portal)
    before[2].kill()
    assert wait_for(lambda: len(cluster(portal)) == 5 and not set(cluster(portal)) & set(before), 30)
    assert "one of its processes died and may have taken the lock of the queue with it; restarting it" in portal.output


def test_ctrl_c_leaves_no_process(portal: Portal) -> None:
    assert portal.interrupt() == 0, portal.output
    assert portal.processes() == []
    assert "Stopped." in portal.output


def test_the_second_start_keeps_everything_and_shows_no_password(portal: Portal) -> None:
    password = PASSWORD.search(portal.output)
    assert password
    portal.start()
    assert not PASSWORD.search(portal.output)
    assert "Sign in with your account" in portal.output
    assert Browser(portal).sign_in("admin", password.group(1))


def test_kill_9_of_up_takes_everything_with_it(portal: Portal) -> None:
    assert portal.process and len(portal.processes()) >= 10
    portal.process.kill()
    portal.process.wait()
    assert wait_for(lambda: portal.processes() == [], 5), portal.processes()


def test_after_kill_9_it_starts_again_on_the_same_port(portal: Portal) -> None:
    portal.start()
    assert Browser(portal).get("/")[0] == 200
    assert portal.interrupt() == 0


@pytest.mark.parametrize(
    ("port", "words"),
    [
        ("80000", 'PORT="80000" is not a port. Give a number from 1 to 65535, for example PORT=8000.'),
        ("http", 'PORT="http" is not a port. Give a number from 1 to 65535, for example PORT=8000.'),
    ],
)
def test_a_port_that_is_none_is_refused_in_one_line(rival: Portal, port: str, words: str) -> None:
    rival.port = port  # type: ignore[assignment]
    assert refusal(rival) == words


def test_a_stop_while_starting_leaves_no_process(rival: Portal) -> None:
    process = rival.launch()
    assert wait_for(lambda: "Starting the web server" in rival.output, 30)
    assert rival.interrupt() == 0, rival.output
    assert process.returncode == 0 and rival.processes() == []


def test_a_start_that_fails_shows_the_end_of_the_log_and_leaves_no_process(
    rival: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--no-such-option")
    message = refusal(rival)
    assert "The web server did not start." in message and "--no-such-option" in message
    assert rival.processes() == []
