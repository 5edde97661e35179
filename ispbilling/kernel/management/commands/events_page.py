"""``manage.py events_page [--write]``: the page ``docs/events.md``."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from ispbilling.kernel.event_page import page


class Command(BaseCommand):
    help = "Print the page of events, or write it into docs/events.md."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        text = page(settings.BASE_DIR)
        if options["write"]:
            (settings.BASE_DIR / "docs" / "events.md").write_text(text)
        else:
            self.stdout.write(text)
