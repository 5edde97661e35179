"""Operators' commands: arguments in, one JSON object out, exit status 1 with the reason as JSON on a refusal."""

from __future__ import annotations

import json
import sys
from abc import abstractmethod
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ispbilling.kernel.errors import DomainError, Refused, Retryable

ACTOR = "system:operator"


class OperatorCommand(BaseCommand):
    """Subclasses say what they take and answer a dictionary. Errors by kind become ``{"error": …}``."""

    requires_system_checks: Any = ()

    @abstractmethod
    def run(self, **options: Any) -> dict[str, Any]:
        """Do it. What is returned is printed as JSON."""

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            answer = self.run(**options)
        except DomainError as error:
            self._fail({"code": error.code, "message": error.message, "fields": error.fields})
        except (Refused, Retryable) as error:
            self._fail({"code": error.code, "message": error.detail or error.code, "fields": {}})
        else:
            self.stdout.write(json.dumps(answer, default=str, ensure_ascii=False))

    def _fail(self, error: dict[str, Any]) -> None:
        self.stdout.write(json.dumps({"error": error}, ensure_ascii=False))
        sys.exit(1)


def add_tenant_argument(parser: CommandParser) -> None:
    parser.add_argument("--tenant", required=True, help="the tenant's slug")


def add_secret_argument(parser: CommandParser, name: str, help_text: str) -> None:
    """A secret given in the environment or on standard input does not stand in the list of processes."""
    parser.add_argument(f"--{name}", help=f"{help_text}; “-” reads one line from standard input")


def secret_value(given: str | None) -> str:
    return sys.stdin.readline().rstrip("\n") if given == "-" else given or ""
