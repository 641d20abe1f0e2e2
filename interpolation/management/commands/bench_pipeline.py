"""`manage.py bench_pipeline`: frames a second of every stage, whole jobs against the network alone, memory."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from engine.bench_pipeline import SIZES, run
from engine.errors import EngineError

QUICK: dict[str, Any] = {"sizes": ["480p", "720p"], "factors": [2], "frames": 10}
FULL: dict[str, Any] = {"sizes": ["480p", "720p", "1080p"], "factors": [2, 4, 8], "frames": 24}


class Command(BaseCommand):
    help = "Measure how fast a film goes through: decoding, motion, network, encoding, whole jobs, peak memory."
    requires_system_checks: list[str] = []  # neither pages nor database play a part

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--clip", type=Path, metavar="FILE", help="a video to take frames from; default: made up")
        parser.add_argument("--sizes", nargs="+", choices=list(SIZES), help="default: 480p 720p 1080p")
        parser.add_argument("--factors", nargs="+", type=int, metavar="N", help="times the rate, 2-11; default: 2 4 8")
        parser.add_argument("--frames", type=int, metavar="N", help="of the clip; default: 24")
        parser.add_argument("--quick", action="store_true", help="480p and 720p at 2x, 10 frames: under three minutes")
        parser.add_argument("--no_mci", action="store_true", help="without FFmpeg's minterpolate, which is slow")
        parser.add_argument("--model", help="a model's name or a weights file; default: the default model")
        parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
        parser.add_argument("--threads", type=int, help="processor threads; default: all")
        parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures here")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = QUICK if options["quick"] else FULL
        sizes, factors, frames = (options[name] or chosen[name] for name in ("sizes", "factors", "frames"))
        if frames < 4:
            raise CommandError("--frames must be 4 or more.")
        try:
            report = run(
                sizes,
                factors,
                clip=options["clip"],
                frames=frames,
                model=options["model"],
                device=options["device"],
                threads=options["threads"],
                mci=not options["no_mci"],
                say=self.stderr.write,
            )
        except EngineError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(report.to_markdown())
        if options["json"]:
            report.save(options["json"])
