"""``manage.py router_add --tenant … --name … --host … --port 8728 --username … --password -``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.selectors import tenant_of_slug
from ispbilling.kernel import tenancy
from ispbilling.kernel.operator import ACTOR, OperatorCommand, add_secret_argument, add_tenant_argument, secret_value
from network.services import router_add


class Command(OperatorCommand):
    help = "Enter a router. Prints it as JSON, without its password."

    def add_arguments(self, parser: CommandParser) -> None:
        add_tenant_argument(parser)
        parser.add_argument("--name", required=True)
        parser.add_argument("--host", required=True)
        parser.add_argument("--port", type=int, help="default: the driver's, 8728 or with --tls 8729")
        parser.add_argument("--username", required=True)
        add_secret_argument(parser, "password", "the API user's password")
        parser.add_argument("--tls", action="store_true")
        parser.add_argument("--driver", default="mikrotik")

    def run(self, **options: Any) -> dict[str, Any]:
        with tenancy.tenant_context(tenant_of_slug(options["tenant"]).id):
            router = router_add(
                name=options["name"],
                host=options["host"],
                port=options["port"],
                username=options["username"],
                password=secret_value(options["password"]),
                use_tls=options["tls"],
                driver=options["driver"],
                actor=ACTOR,
            )
        return {"id": router.id, "name": router.name, "host": router.host, "port": router.port}
