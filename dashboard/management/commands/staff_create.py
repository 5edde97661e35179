"""``manage.py staff_create --tenant … --email … --role owner --password -``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.models import Role
from accounts.selectors import tenant_of_slug
from accounts.services import staff_create
from ispbilling.kernel import tenancy
from ispbilling.kernel.operator import ACTOR, OperatorCommand, add_secret_argument, add_tenant_argument, secret_value


class Command(OperatorCommand):
    help = "Let a person work for a tenant. Prints the membership as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        add_tenant_argument(parser)
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", default="")
        parser.add_argument("--role", required=True, choices=Role.values)
        add_secret_argument(parser, "password", "at least 10 characters")

    def run(self, **options: Any) -> dict[str, Any]:
        with tenancy.tenant_context(tenant_of_slug(options["tenant"]).id):
            membership = staff_create(
                email=options["email"],
                password=secret_value(options["password"]),
                role=options["role"],
                name=options["name"],
                actor=ACTOR,
            )
        return {"id": membership.id, "email": options["email"], "role": membership.role}
