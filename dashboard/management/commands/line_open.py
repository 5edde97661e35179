"""``manage.py line_open --tenant … --name … --phone … --package ID --router ID``."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from accounts.selectors import tenant_of_slug
from ispbilling.kernel import tenancy
from ispbilling.kernel.operator import ACTOR, OperatorCommand, add_secret_argument, add_tenant_argument, secret_value
from network.services import line_open


class Command(OperatorCommand):
    help = "A new customer with a subscription and a PPPoE line. Prints ids, code and user name as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        add_tenant_argument(parser)
        parser.add_argument("--name", required=True)
        parser.add_argument("--phone", required=True, action="append", help="may repeat; the first gets messages")
        parser.add_argument("--package", required=True, type=UUID)
        parser.add_argument("--router", required=True, type=UUID)
        parser.add_argument("--username", default="")
        add_secret_argument(parser, "password", "the PPPoE password; empty: one is made")

    def run(self, **options: Any) -> dict[str, Any]:
        with tenancy.tenant_context(tenant_of_slug(options["tenant"]).id):
            line = line_open(
                name=options["name"],
                phones=options["phone"],
                package_id=options["package"],
                router_id=options["router"],
                username=options["username"],
                password=secret_value(options["password"]),
                actor=ACTOR,
            )
            return {
                "line": line.id,
                "customer": line.customer_id,
                "code": line.customer.code,
                "subscription": line.subscription_id,
                "username": line.username,
            }
