"""``manage.py demo_fill``: a small provider in Nairobi at the simulators' ends, once; prints the log-ins."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from accounts.models import Role, Tenant
from accounts.services import staff_create
from dashboard.services import tenant_open
from ispbilling.kernel import tenancy
from network.models import Line
from network.services import line_open, router_add
from packages.models import Package
from packages.services import package_create
from payments.services import provider_account_add
from sms.services import channel_account_add

ACTOR = "system:demo"
SLUG = "savanna"
PASSWORD = "savanna-demo-2026"
PACKAGES = [
    ("Basic 5", "1000", "day", 30, 5_000, 2_000),
    ("Home 10", "1500", "month", 1, 10_000, 5_000),
    ("Family 20", "2500", "month", 1, 20_000, 10_000),
    ("Day pass", "80", "hour", 24, 5_000, 2_000),
]
CUSTOMERS = [
    ("Jane Wanjiku", "0712000001"),
    ("Otieno Odhiambo", "0712000002"),
    ("Fatuma Hassan", "0712000003"),
    ("Kamau Njoroge", "0712000004"),
    ("Achieng Atieno", "0712000005"),
    ("Mutua Mwangi", "0712000006"),
    ("Zawadi Kilonzo", "0712000007"),
    ("Barasa Wekesa", "0712000008"),
    ("Naserian Lekuta", "0712000009"),
    ("Salim Omar", "0712000010"),
    ("Grace Chebet", "0712000011"),
    ("Peter Kariuki", "0712000012"),
]


class Command(BaseCommand):
    help = "Fill an empty installation with a small provider; a second time only prints the log-ins."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--simulators", required=True, type=Path, help="what the simulators announced")

    def handle(self, *_args: Any, **options: Any) -> None:
        ends = json.loads(options["simulators"].read_text())
        with tenancy.platform("demo: is it filled"):
            is_filled = Tenant.objects.filter(slug=SLUG).exists()
        if not is_filled:
            self._fill(ends)
        self._dial_in(ends)
        for role in Role.values:
            self.stdout.write(json.dumps({"role": role, "email": f"{role}@savanna.example", "password": PASSWORD}))
        customer = {"role": "customer", "phone": CUSTOMERS[0][1], "code": f"see the messages of {CUSTOMERS[0][0]}"}
        self.stdout.write(json.dumps(customer))

    @transaction.atomic
    def _fill(self, ends: dict[str, Any]) -> None:
        tenant = tenant_open(
            name="Savanna Net",
            slug=SLUG,
            currency="KES",
            zone="Africa/Nairobi",
            country="KE",
            domains=["127.0.0.1", "localhost", f"{SLUG}.localhost"],
            actor=ACTOR,
        )
        with tenancy.tenant_context(tenant.id):
            for role in Role.values:
                staff_create(email=f"{role}@savanna.example", password=PASSWORD, role=role, actor=ACTOR)
            provider_account_add(
                provider="mpesa", label="M-Pesa", config=ends["mpesa"], base_url=ends["daraja"], actor=ACTOR
            )
            provider_account_add(provider="cash", label="Cash", config={}, actor=ACTOR)
            channel_account_add(
                channel="africastalking", label="SMS", config=ends["sms"], base_url=ends["africastalking"], actor=ACTOR
            )
            routers = [
                router_add(
                    name=name,
                    host=target["host"],
                    port=target["port"],
                    username=target["username"],
                    password=target["password"],
                    actor=ACTOR,
                )
                for name, target in ends["routers"].items()
            ]
            packages = [self._package(number, *row) for number, row in enumerate(PACKAGES)]
            for number, (name, phone) in enumerate(CUSTOMERS):
                line_open(
                    name=name,
                    phones=[phone],
                    package_id=packages[number % len(packages)].id,
                    router_id=routers[number % len(routers)].id,
                    actor=ACTOR,
                )

    @staticmethod
    def _package(
        number: int, name: str, price: str, unit: str, count: int, download_kbps: int, upload_kbps: int
    ) -> Package:
        return package_create(
            name=name,
            price=Decimal(price),
            period_unit=unit,
            period_count=count,
            download_kbps=download_kbps,
            upload_kbps=upload_kbps,
            sort_order=number,
            actor=ACTOR,
        )

    @staticmethod
    def _dial_in(ends: dict[str, Any]) -> None:
        """Put the subscribers' boxes at the other end: they dial by themselves."""
        with tenancy.platform("demo: whose boxes dial"):
            lines = list(Line.objects.filter(tenant__slug=SLUG).select_related("router").order_by("created_at"))
        for number, line in enumerate(lines):
            body = {
                "router": line.router.name,
                "name": line.username,
                "password": line.password.reveal(),
                "mac": f"AA:BB:CC:00:00:{number:02X}",
            }
            requests.post(f"{ends['control']}/routeros.cpe_add", json=body, timeout=10)
