"""``manage.py package_create --tenant … --name … --price 1500 --period 1 month --download 10000 --upload 5000``."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.management.base import CommandParser

from accounts.selectors import tenant_of_slug
from ispbilling.kernel import tenancy
from ispbilling.kernel.operator import ACTOR, OperatorCommand, add_tenant_argument
from packages.models import PeriodUnit
from packages.services import package_create


class Command(OperatorCommand):
    help = "Put a package on sale. Prints its id as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        add_tenant_argument(parser)
        parser.add_argument("--name", required=True)
        parser.add_argument("--price", required=True, type=Decimal, help="in the tenant's currency, tax contained")
        parser.add_argument("--period-count", type=int, default=1)
        parser.add_argument("--period-unit", choices=PeriodUnit.values, default="month")
        parser.add_argument("--download", required=True, type=int, help="kbps")
        parser.add_argument("--upload", required=True, type=int, help="kbps")

    def run(self, **options: Any) -> dict[str, Any]:
        with tenancy.tenant_context(tenant_of_slug(options["tenant"]).id):
            package = package_create(
                name=options["name"],
                price=options["price"],
                period_unit=options["period_unit"],
                period_count=options["period_count"],
                download_kbps=options["download"],
                upload_kbps=options["upload"],
                actor=ACTOR,
            )
        return {"id": package.id, "name": package.name}
