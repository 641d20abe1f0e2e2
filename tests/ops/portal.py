"""A real `manage.py up` in a folder of its own, for tests."""

from __future__ import annotations

import http.cookiejar
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

REPOSITORY = Path(__file__).resolve().parents[2]
MARK = "INBETWEEN_TEST_MARK"
PASSWORD = re.compile(r"Sign in as admin with the password (\S+)")


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def wait_for(condition: Callable[[], object], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return bool(condition())


class Portal:
    """`up` with its output in a file; every process it starts inherits our mark."""

    def __init__(self, data: Path, port: int | None = None, **settings: str) -> None:
        """settings: of the environment, INBETWEEN_...="..."."""
        self.settings = settings
        self.data, self.port, self.mark = data, port or free_port(), secrets.token_hex(8)
        self.starts = 0
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        return (self.data / f"up{self.starts}.txt").read_text()

    @property
    def models(self) -> Path:
        return self.data / "models"

    def link_models(self) -> None:
        """The shipped models in a folder of our own: no other test sees what is trained in this portal."""
        self.models.mkdir(parents=True, exist_ok=True)
        for file in (REPOSITORY / "models").iterdir():
            if not (self.models / file.name).exists():
                (self.models / file.name).symlink_to(file)

    def launch(self) -> subprocess.Popen[bytes]:
        self.starts += 1
        self.link_models()
        with (self.data / f"up{self.starts}.txt").open("wb") as output:
            self.process = self.manage("up", "--port", str(self.port), output=output)
        return self.process

    def manage(self, *words: str, output: int | IO[bytes] = subprocess.PIPE) -> subprocess.Popen[bytes]:
        """`manage.py ...` with the settings of this portal."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("INBETWEEN_")}
        return subprocess.Popen(
            [sys.executable, "manage.py", *words],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={
                **env,
                "INBETWEEN_DATA": str(self.data),
                "INBETWEEN_MODELS": str(self.models),
                "INBETWEEN_ENV_FILE": os.devnull,
                MARK: self.mark,
                **self.settings,
            },
            start_new_session=True,
        )

    def start(self) -> None:
        process = self.launch()
        ready = wait_for(lambda: "Ready after" in self.output or process.poll() is not None, 60)
        if not ready or process.poll() is not None:
            self.clean_up()  # whoever asked for it gets nothing that he could end
            raise AssertionError(self.output)

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        assert self.process
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)

    def processes(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.environ().get(MARK) == self.mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def named(self, *words: str) -> list[psutil.Process]:
        """Those whose command line has all the words, oldest first."""
        found = []
        for process in self.processes():
            with suppress(psutil.Error):  # it may end at this moment
                if all(word in " ".join(process.cmdline()) for word in words):
                    found.append(process)
        return sorted(found, key=lambda process: (process.create_time(), process.pid))

    def clean_up(self) -> None:
        for process in self.processes():
            with suppress(psutil.Error):
                process.kill()


class Browser:
    """Just enough of one to sign in."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def get(self, path: str) -> tuple[int, str]:
        try:
            with self.opener.open(self.portal.url + path, timeout=20) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")

    def post(self, path: str, page: str = "", **fields: str) -> tuple[int, str]:
        """Sends a form that stands on `page` (left out: on `path` itself), with the CSRF token from there."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(page or path)[1])
        assert token, f"{page or path} has no form"
        data = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token.group(1)}).encode()
        request = urllib.request.Request(self.portal.url + path, data, {"Referer": self.portal.url + path})
        with self.opener.open(request, timeout=20) as answer:
            return answer.status, answer.read().decode(errors="replace")

    def sign_in(self, name: str, password: str) -> bool:
        self.post("/admin/login/", username=name, password=password, next="/admin/")
        return any(cookie.name == "inbetween_session" for cookie in self.jar)
