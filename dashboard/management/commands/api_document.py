"""The OpenAPI document: printed, or written into docs/openapi.yaml."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from dashboard.api.document import as_yaml


class Command(BaseCommand):
    help = "Print the OpenAPI document, or write it into docs/openapi.yaml."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["write"]:
            (settings.BASE_DIR / "docs" / "openapi.yaml").write_text(as_yaml())
        else:
            self.stdout.write(as_yaml())
