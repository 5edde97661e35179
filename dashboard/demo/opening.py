"""A provider as it stands on its first morning: staff, rules, ways of paying, routers, packages."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.models import Role, Tenant
from accounts.services import staff_create
from billing.services import policy_set
from dashboard.demo.houses import House
from dashboard.services import tenant_open
from ispbilling.kernel import tenancy
from ispbilling.kernel.errors import DomainError
from network.services import router_add
from packages.services import package_create
from payments.services import provider_account_add
from sms.services import channel_account_add

ACTOR = "system:demo"
#: Printed for whoever tries the demo.
PASSWORD = "savanna-demo-2026"  # noqa: S105


def demo_allowed() -> None:
    """Raises DomainError ``demo.refused`` where a demo has no business."""
    if not settings.CLOCK_MAY_MOVE:
        raise DomainError(
            "demo.refused", "This installation is for real customers: it is not filled with invented ones."
        )


def house_find(house: House) -> Tenant | None:
    with tenancy.platform("demo: is it there"):
        found: Tenant | None = Tenant.objects.filter(slug=house.slug).first()
    return found


@transaction.atomic
def house_open(*, house: House, ends: dict[str, Any]) -> Tenant:
    """The provider, opened once; ``ends`` are the simulators' addresses. Raises DomainError."""
    demo_allowed()
    known = house_find(house)
    if known is not None:
        return known
    tenant = tenant_open(
        name=house.name,
        slug=house.slug,
        currency=house.currency,
        zone=house.zone,
        country=house.country_code,
        language=house.language,
        domains=list(house.hosts),
        suspension_mode=house.suspension_mode,
        support_phone=house.support_phone,
        actor=ACTOR,
    )
    with tenancy.tenant_context(tenant.id):
        policy_set(changes={"remind_days": [3, 1]}, actor=ACTOR)
        for role, name in zip(Role.values, house.staff, strict=True):
            staff_create(email=email_of(house, role), password=PASSWORD, role=role, name=name, actor=ACTOR)
        _outside(house, ends)
        for number, offer in enumerate(house.offers):
            package_create(
                name=offer.name,
                price=offer.price,
                period_unit=offer.unit,
                period_count=offer.count,
                download_kbps=offer.download_kbps,
                upload_kbps=offer.upload_kbps,
                description=offer.description,
                sort_order=number,
                is_featured=number == 0,
                actor=ACTOR,
            )
    return tenant


def email_of(house: House, role: str) -> str:
    return f"{role}@{house.slug}.example"


def _outside(house: House, ends: dict[str, Any]) -> None:
    if house.takes_mpesa:
        provider_account_add(
            provider="mpesa", label="M-Pesa", config=ends["mpesa"], base_url=ends["daraja"], actor=ACTOR
        )
    provider_account_add(provider="cash", label="Cash", config={}, actor=ACTOR)
    channel_account_add(
        channel="africastalking", label="SMS", config=ends["sms"], base_url=ends["africastalking"], actor=ACTOR
    )
    for name in house.routers:
        target = ends["routers"][name]
        router_add(
            name=name,
            host=target["host"],
            port=target["port"],
            username=target["username"],
            password=target["password"],
            actor=ACTOR,
        )
