"""``manage.py demo_check``: walks the main job against a running installation and its simulators."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dashboard.walk import FarEnds, StepFailed, Walk
from ispbilling.kernel.errors import DomainError


class Command(BaseCommand):
    help = "Walk the main job, one line a step; the last line is “main job ok”. Exit status 1 with the failing step."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--simulators", required=True, type=Path, help="what the simulators announced")
        parser.add_argument("--url", required=True)

    def handle(self, *_args: Any, **options: Any) -> None:
        ends = FarEnds(**json.loads(options["simulators"].read_text()))
        routers = list(ends.routers)
        walks = [
            Walk(ends, options["url"], "walk-walled", "walled", router=routers[0], phone="0712345678"),
            Walk(
                ends, options["url"], "walk-blocked", "blocked", "Asia/Manila", router=routers[-1], phone="0722345679"
            ),
        ]
        for walk in walks:
            for sentence, step in walk.steps():
                try:
                    step()
                except (StepFailed, DomainError) as error:
                    self.stdout.write(f"FAILED  {walk.suspension}: {sentence}: {error}")
                    sys.exit(1)
                self.stdout.write(f"ok      {walk.suspension}: {sentence}")
                self.stdout.flush()
        self.stdout.write("main job ok")
