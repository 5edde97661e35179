"""Objects for tests, made by the product's own services."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Any

from accounts.models import Membership, Tenant
from accounts.services import staff_create
from billing.models import Subscription
from billing.services import subscription_create
from customers.models import Customer
from customers.services import customer_create
from dashboard.services import tenant_open
from ispbilling.kernel import tenancy
from network.models import Line, Router
from network.services import line_open, router_add
from packages.models import Package
from packages.services import package_create
from payments.models import ProviderAccount
from payments.services import provider_account_add

ACTOR = "system:test"
PASSWORD = "correct-horse-battery"
_number = count(1)

MPESA_CONFIG = {
    "consumer_key": "key",
    "consumer_secret": "PLANTED-9f2c",
    "passkey": "testpasskey0000",
    "business_shortcode": "174379",
}


def tenant_make(**given: Any) -> Tenant:
    """A tenant in Nairobi with its rules of billing."""
    number = next(_number)
    values: dict[str, Any] = {
        "name": f"Net {number}",
        "slug": f"net-{number}",
        "currency": "KES",
        "zone": "Africa/Nairobi",
        "country": "KE",
        "domains": [f"net-{number}.localhost"],
        "actor": ACTOR,
    }
    return tenant_open(**{**values, **given})


def staff_make(tenant: Tenant, role: str, email: str = "") -> Membership:
    with tenancy.tenant_context(tenant.id):
        address = email or f"{role}-{next(_number)}@example.org"
        return staff_create(email=address, password=PASSWORD, role=role, actor=ACTOR)


def package_make(**given: Any) -> Package:
    values: dict[str, Any] = {
        "name": f"Home {next(_number)}",
        "price": Decimal("1500"),
        "period_unit": "month",
        "period_count": 1,
        "download_kbps": 10_000,
        "upload_kbps": 5_000,
        "actor": ACTOR,
    }
    return package_create(**{**values, **given})


def phone_make() -> str:
    return f"07{next(_number) % 100_000_000:08d}"


def customer_make(**given: Any) -> Customer:
    values: dict[str, Any] = {"name": "Jane Wanjiku", "phones": [phone_make()], "actor": ACTOR}
    return customer_create(**{**values, **given})


def subscription_make(**given: Any) -> Subscription:
    customer = given.pop("customer", None) or customer_make()
    package = given.pop("package", None) or package_make()
    return subscription_create(customer_id=customer.id, package_id=package.id, actor=ACTOR)


def account_make(provider: str = "cash", **given: Any) -> ProviderAccount:
    config = MPESA_CONFIG if provider == "mpesa" else {}
    values: dict[str, Any] = {"provider": provider, "label": f"{provider} {next(_number)}", "config": config}
    return provider_account_add(**{**values, **given}, actor=ACTOR)


def router_make(**given: Any) -> Router:
    values: dict[str, Any] = {
        "name": f"tower {next(_number)}",
        "host": "127.0.0.1",
        "port": 1,
        "username": "billing",
        "password": "billing-api",
        "actor": ACTOR,
    }
    return router_add(**{**values, **given})


def line_make(**given: Any) -> Line:
    router = given.pop("router", None) or router_make()
    package = given.pop("package", None) or package_make()
    values: dict[str, Any] = {"name": "Jane Wanjiku", "phones": [phone_make()], "actor": ACTOR}
    return line_open(**{**values, **given}, package_id=package.id, router_id=router.id)
