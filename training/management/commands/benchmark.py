"""`manage.py benchmark --triplets DIR...`: the methods and models against each other, as a table."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from engine.bench import CLASSICAL, benchmark_path, find_triplets, make_methods, measure_speed, run
from engine.errors import EngineError


class Command(BaseCommand):
    help = "Draw the middle of triplets (SEQ/im1.png, im2.png, im3.png) by every method and compare: PSNR, SSIM, time."
    requires_system_checks: list[str] = []  # neither pages nor database play a part

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--triplets",
            nargs="+",
            type=Path,
            required=True,
            metavar="DIR",
            help="a set of triplets, or a folder of sets",
        )
        parser.add_argument(
            "--methods",
            default="",
            help=f"comma-separated: {', '.join(CLASSICAL)}, a model's name, or a weights file; default: all of them",
        )
        parser.add_argument(
            "--json",
            type=Path,
            metavar="OUT",
            help="where the figures go; default: models/benchmark.json, unless --limit or --methods narrows the run",
        )
        parser.add_argument("--limit", type=int, metavar="N", help="only the first N triplets of each set")
        parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
        parser.add_argument("--threads", type=int, help="processor threads; default: all")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["limit"] is not None and options["limit"] < 1:
            raise CommandError("--limit must be 1 or more.")
        names = [name.strip() for name in options["methods"].split(",") if name.strip()]
        try:
            triplets = first_of_each(find_triplets(options["triplets"]), options["limit"])
            methods = make_methods(names, device=options["device"], threads=options["threads"])
            result = run(triplets, methods, on_triplet=self._progress)
            result.speed = measure_speed(methods)
        except EngineError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(result.to_markdown())
        target = options["json"] or (None if names or options["limit"] else benchmark_path())
        if target:
            result.save(target)
            self.stderr.write(f"Figures: {target}")

    def _progress(self, done: int, total: int) -> None:
        if done % 10 == 0 or done == total:
            self.stderr.write(f"{done} of {total} triplets")


def first_of_each(triplets: list[Any], limit: int | None) -> list[Any]:
    """The first `limit` triplets of every set."""
    taken: dict[str, int] = {}
    kept = []
    for triplet in triplets:
        taken[triplet.set_name] = taken.get(triplet.set_name, 0) + 1
        if limit is None or taken[triplet.set_name] <= limit:
            kept.append(triplet)
    return kept
