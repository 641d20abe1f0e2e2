"""django-q2's database broker, which also says which of our clusters is alive (its own statistics carry no name)."""

from __future__ import annotations

import os
import socket
import time
from typing import Any

import psutil
from django_q.brokers.orm import ORM
from django_q.conf import Conf

SEEN = "inbetween:cluster:{}"
HELD_POLL = 1.0  # seconds
FULL_POLL = 0.1  # seconds
BEAT = 5.0  # seconds between two words of a cluster about itself


class ClusterBroker(ORM):
    """`set_stat` runs in the sentinel of every cluster, about twice a second while it lives."""

    beaten = float("-inf")
    held: tuple[float, bool] = (0.0, False)  # when it was asked, and the answer
    taken: dict[int, frozenset[int]]  # messages that are not done with, and the processes of the cluster at that time

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.taken = {}

    def dequeue(self) -> Any:
        """Nothing while an administrator holds these workers, or all of them work: the messages stay for others."""
        if self.is_held() or self.is_full():
            time.sleep(HELD_POLL if self.held[1] else FULL_POLL)
            return None
        found = super().dequeue()
        self.taken |= {message: cluster_processes() for message, _ in found or ()}
        return found

    def is_full(self) -> bool:
        """Whether every worker has a message. django-q2 would take two more for later, as long as the job may run,
        while another machine has nothing to do. Whatever a worker that died has had does not count."""
        if len(self.taken) < Conf.WORKERS:
            return False
        alive, kept = cluster_processes(), self.get_connection().filter(pk__in=self.taken).values_list("pk", flat=True)
        self.taken = {message: self.taken[message] for message in kept if self.taken[message] <= alive}
        return len(self.taken) >= Conf.WORKERS

    def is_held(self) -> bool:
        asked, answer = self.held
        if time.monotonic() - asked < HELD_POLL:
            return answer
        from .holds import held  # needs the models, which are not there yet when this is imported

        self.held = (time.monotonic(), bool(held(self.list_key, socket.gethostname()[:80])))
        return self.held[1]

    def set_stat(self, key: str, value: str, timeout: int) -> object:
        if self.cache is not None:
            self.cache.set(SEEN.format(Conf.CLUSTER_NAME), time.time(), 600)
        if time.monotonic() - self.beaten > BEAT:
            from .workers import worker_beat  # needs the models, as above

            self.beaten = time.monotonic()
            worker_beat(Conf.CLUSTER_NAME)
        return super().set_stat(key, value, timeout)


def cluster_processes() -> frozenset[int]:
    """Those beside this one, which hands out the messages of a cluster: its workers and its monitor."""
    try:
        return frozenset(child.pid for child in psutil.Process(os.getppid()).children())
    except psutil.Error:  # the cluster is about to end
        return frozenset()
