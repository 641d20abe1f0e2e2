"""How gunicorn serves the portal: threads, because pages poll, uploads are slow and videos are long."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from frameinterp_site.env import envint
from frameinterp_site.supervisor import die_with_parent

wsgi_app = "frameinterp_site.wsgi:application"
worker_class = "gthread"
workers = envint("INBETWEEN_WEB_PROCESSES", 2, 1)
threads = envint("INBETWEEN_WEB_THREADS", 8, 1)  # in each process
preload_app = True  # imported once, shared by all processes: half the memory, and half the time to start
timeout = 120  # seconds without a sign of life of a whole process, not of one request
graceful_timeout = 5  # seconds for requests in flight when the portal stops
keepalive = 5
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a heartbeat file on a slow disk can block a worker
control_socket_disable = True
access_log_format = '%(h)s %(u)s %(t)s "%(r)s" %(s)s %(b)s %(M)sms "%(a)s"'


def post_fork(server: Any, worker: Any) -> None:
    """A web process does not outlive the one that accepts and restarts it."""
    die_with_parent(server.pid)


def when_ready(server: Any) -> None:
    """Before any web process is forked: import all pages, so that the first visitor does not wait for it."""
    from django.urls import get_resolver

    _ = get_resolver().url_patterns


def worker_exit(server: Any, worker: Any) -> None:
    """Asked to stop and done: leave at once, because taking down torch and the rest module by module takes seconds."""
    if worker.booted and not worker.alive:
        os._exit(0)
