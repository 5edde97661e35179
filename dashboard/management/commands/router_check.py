"""``manage.py router_check --tenant … --router ID``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from accounts.selectors import tenant_of_slug
from ispbilling.kernel import tenancy
from ispbilling.kernel.operator import OperatorCommand, add_tenant_argument
from network.services import router_check


class Command(OperatorCommand):
    help = "Connect to a router and print what it says of itself as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        add_tenant_argument(parser)
        parser.add_argument("--router", required=True, type=UUID)

    def run(self, **options: Any) -> dict[str, Any]:
        with tenancy.tenant_context(tenant_of_slug(options["tenant"]).id):
            return asdict(router_check(router_id=options["router"]))
