"""``manage.py tenant_create --name … --slug … --currency KES --zone Africa/Nairobi --country KE``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from dashboard.services import tenant_open
from ispbilling.kernel.operator import ACTOR, OperatorCommand


class Command(OperatorCommand):
    help = "Open a tenant. Prints its id and slug as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True)
        parser.add_argument("--slug", required=True)
        parser.add_argument("--currency", required=True, help="ISO 4217, such as KES")
        parser.add_argument("--zone", required=True, help="IANA, such as Africa/Nairobi")
        parser.add_argument("--country", required=True, help="ISO 3166, such as KE")
        parser.add_argument("--language", default="en")
        parser.add_argument("--domain", action="append", default=[], help="a host name of its portal; may repeat")
        parser.add_argument("--suspension", choices=["walled", "blocked"], default="walled")

        parser.add_argument("--support-phone", default="", help="the staff's own: warnings go to it")

    def run(self, **options: Any) -> dict[str, Any]:
        tenant = tenant_open(
            name=options["name"],
            slug=options["slug"],
            currency=options["currency"],
            zone=options["zone"],
            country=options["country"],
            language=options["language"],
            domains=options["domain"],
            suspension_mode=options["suspension"],
            support_phone=options["support_phone"],
            actor=ACTOR,
        )
        return {"id": tenant.id, "slug": tenant.slug}
