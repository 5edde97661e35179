"""``manage.py clock_travel --hours 3``: moves product time forwards for every process. Refused in production."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser

from ispbilling.kernel import clock
from ispbilling.kernel.operator import OperatorCommand


class Command(OperatorCommand):
    help = "Move product time. Prints the new offset in seconds and the new now as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=float, default=0)
        parser.add_argument("--hours", type=float, default=0)
        parser.add_argument("--seconds", type=float, default=0)

    def run(self, **options: Any) -> dict[str, Any]:
        by = timedelta(days=options["days"], hours=options["hours"], seconds=options["seconds"])
        return {"offset_s": clock.travel(by).total_seconds(), "now": clock.now().isoformat()}
