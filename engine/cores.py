"""Small work on all cores: what OpenCV and NumPy do in one thread, side by side in several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Part = TypeVar("Part")
Result = TypeVar("Result")


def side_by_side(work: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
    """`work` of every part, in order; on as many threads as PyTorch has in this one, and on none but this for one.

    `work` may call OpenCV and NumPy only: PyTorch would start threads of its own in each of these, and a thread does
    not inherit its `no_grad` and `inference_mode`.
    """
    threads = min(torch.get_num_threads(), len(parts))
    if threads <= 1:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(threads, "side-by-side") as pool:  # 0.1 ms; a lasting pool would not survive a fork
        return list(pool.map(work, parts))
