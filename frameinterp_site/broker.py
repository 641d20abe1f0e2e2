"""django-q2's database broker, which also says which of our clusters is alive (its own statistics carry no name)."""

from __future__ import annotations

import time

from django_q.brokers.orm import ORM
from django_q.conf import Conf

SEEN = "inbetween:cluster:{}"


class ClusterBroker(ORM):
    """`set_stat` runs in the sentinel of every cluster, about twice a second while it lives."""

    def set_stat(self, key: str, value: str, timeout: int) -> object:
        if self.cache is not None:
            self.cache.set(SEEN.format(Conf.CLUSTER_NAME), time.time(), 600)
        return super().set_stat(key, value, timeout)
