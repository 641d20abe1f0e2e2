"""Several processes that train one network together, one per GPU, as `torchrun` starts them (DistributedDataParallel).

Each takes its own samples; gradients are averaged in every step, so that all hold the same weights. The first one
validates, saves and reports.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class Ranks:
    """rank: number of this process of `count`; local: its number on this machine, which is the number of its GPU."""

    rank: int = 0
    count: int = 1
    local: int = 0

    @classmethod
    def from_environment(cls) -> Ranks:
        """As torchrun says (RANK, WORLD_SIZE, LOCAL_RANK); one process without it."""
        return cls(*(int(os.environ.get(name, "") or default) for name, default in _VARIABLES))

    @property
    def first(self) -> bool:
        return self.rank == 0

    def device(self, device: str) -> str:
        """Every process on a GPU of its own, where "cuda" was asked for."""
        return f"cuda:{self.local}" if device == "cuda" and self.count > 1 else device

    @contextmanager
    def joined(self, device: str) -> Iterator[None]:
        """While training: the processes know each other (NCCL between GPUs, Gloo between CPUs)."""
        if self.count == 1:
            yield
            return
        if device.startswith("cuda"):
            torch.cuda.set_device(device)
        dist.init_process_group("nccl" if device.startswith("cuda") else "gloo", rank=self.rank, world_size=self.count)
        try:
            yield
            dist.barrier()  # nobody leaves before the first one has saved
        finally:
            dist.destroy_process_group()

    def parallel(self, net: nn.Module, device: str) -> nn.Module:
        """`net` with averaged gradients; `net` itself when it is alone."""
        if self.count == 1:
            return net
        return DistributedDataParallel(net, device_ids=[self.local] if device.startswith("cuda") else None)

    def any(self, here: bool, device: str) -> bool:
        """Whether it is true in any of the processes; all of them must ask."""
        if self.count == 1:
            return here
        flag = torch.tensor(float(here), device=device)
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag.item())


_VARIABLES = (("RANK", 0), ("WORLD_SIZE", 1), ("LOCAL_RANK", 0))
