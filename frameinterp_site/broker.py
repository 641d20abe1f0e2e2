"""django-q2's database broker, which also says which of our clusters is alive (its own statistics carry no name)."""

from __future__ import annotations

import socket
import time

from django_q.brokers.orm import ORM
from django_q.conf import Conf

SEEN = "inbetween:cluster:{}"
HELD_POLL = 1.0  # seconds
BEAT = 5.0  # seconds between two words of a cluster about itself


class ClusterBroker(ORM):
    """`set_stat` runs in the sentinel of every cluster, about twice a second while it lives."""

    beaten = float("-inf")
    held: tuple[float, bool] = (0.0, False)  # when it was asked, and the answer

    def dequeue(self) -> object:
        """Nothing while an administrator holds these workers: the messages stay for others, and for afterwards."""
        if self.is_held():
            time.sleep(HELD_POLL)
            return None
        return super().dequeue()

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
