"""`manage.py up`: the whole portal on this machine, until Ctrl-C."""

from __future__ import annotations

import http.client
import secrets
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError, connection

from frameinterp_site.address import Address, AddressError
from frameinterp_site.clusterwatch import ClusterWatch
from frameinterp_site.env import envstr
from frameinterp_site.lock import FolderLock, LockedError
from frameinterp_site.static import compress_static
from frameinterp_site.supervisor import Child, Supervisor

READY_SECONDS = 90.0
ADMIN = "admin"
MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]


class Command(BaseCommand):
    help = "Starts the web server, the workers and the reaper, keeps them running, and stops them all on Ctrl-C."
    requires_system_checks = []  # the web server makes them, in parallel with the rest

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", default=envstr("INBETWEEN_PORT", "8000"))
        parser.add_argument("--host", default=envstr("INBETWEEN_HOST", "127.0.0.1"))

    def handle(self, *args: object, port: str, host: str, **options: object) -> None:
        self.stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.on_signal)
        try:
            address = Address.parse(host, port)
            with FolderLock(settings.DATA_DIR / "up.lock", address.url):
                address.check_free()
                self.prepare()
                self.run(address)
        except (LockedError, AddressError) as error:
            raise SystemExit(str(error)) from error

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.stopping.is_set():
            raise SystemExit(1)  # asked twice: the `finally` below kills at once
        self.stopping.set()

    def prepare(self) -> None:
        self.say("Preparing the database ...")
        settings.STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise wants it, though it serves static/ as it lies there
        compress_static()
        try:
            if settings.CACHES["default"]["BACKEND"].endswith("DatabaseCache"):
                call_command("createcachetable", verbosity=0)
            call_command("migrate", verbosity=0, interactive=False)
        except OperationalError as error:
            reason = str(error).strip().splitlines()[0]
            raise SystemExit(
                f"The database cannot be used: {reason}. See INBETWEEN_DATABASE and INBETWEEN_DATA."
            ) from error
        self.welcome = self.first_administrator()

    def first_administrator(self) -> str:
        """How to sign in. A portal without any user gets an administrator, whose password is known only now."""
        users = get_user_model()._default_manager
        if users.exists():
            return "Sign in with your account" + (", or sign up in the page." if settings.SIGNUP else ".")
        password = secrets.token_urlsafe(12)
        get_user_model().objects.create_superuser(ADMIN, password=password)
        connection.close()
        return f"Sign in as {ADMIN} with the password {password} (made just now, shown only this once)."

    def run(self, address: Address) -> None:
        supervisor = Supervisor(children(address))
        try:
            self.say("Starting the web server, the workers and the reaper ...")
            begun = time.monotonic()
            supervisor.start()
            self.wait_until_ready(supervisor.children[0], address)
            if not self.stopping.is_set():
                self.say(f"Ready after {time.monotonic() - begun:.0f} s: {address.url}\n{self.welcome}")
                self.say(f"Data: {settings.DATA_DIR}   Logs: {settings.LOG_DIR}   Ctrl-C stops everything.")
                if address.is_public:
                    names = ", ".join(settings.ALLOWED_HOSTS)
                    self.say(f"From other machines it answers to these names only: {names} (INBETWEEN_ALLOWED_HOSTS).")
            while not self.stopping.wait(0.5):
                supervisor.look()
            self.say("Stopping ...")
            supervisor.stop()
            self.say("Stopped. Unfinished jobs go on at the next start.")
        finally:
            supervisor.kill()

    def wait_until_ready(self, web: Child, address: Address) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self.stopping.is_set() and not answers(address):
            if not web.running or time.monotonic() > deadline:
                raise SystemExit(
                    f"{self.welcome}\nThe web server did not start. The end of {web.log}:\n{web.last_lines()}"
                )
            self.stopping.wait(0.1)

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def children(address: Address) -> list[Child]:
    """The processes of the portal; the web server is the first."""
    logs: Path = settings.LOG_DIR
    gunicorn = [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        "python:frameinterp_site.gunicorn_conf",
        "--chdir",
        str(settings.BASE_DIR),
    ]
    gunicorn += ["--bind", address.bind, "--access-logfile", str(logs / "access.log")]
    return [
        Child("web server", gunicorn, logs / "web.log"),
        *(cluster(queue, logs) for queue in settings.Q_CLUSTER["ALT_CLUSTERS"]),
        Child("reaper", [*MANAGE, "reap"], logs / "reaper.log"),
    ]


def cluster(queue: str, logs: Path) -> Child:
    argv: Sequence[str] = [*MANAGE, "worker", queue]
    return Child(f"{queue} worker", list(argv), logs / f"{queue}.log", {"Q_CLUSTER_NAME": queue}, ClusterWatch(queue))


def answers(address: Address) -> bool:
    """Whether the web server answers at all. What it says of workers still starting does not count."""
    http_connection = http.client.HTTPConnection(address.local_host, address.port, timeout=5)
    try:
        http_connection.request("GET", "/health/", headers={"Host": f"localhost:{address.port}"})
        status = http_connection.getresponse().status
        return status < 500 or status == 503
    except OSError:
        return False
    finally:
        http_connection.close()
