"""Opening a tenant with everything it begins with."""

from __future__ import annotations

from django.db import transaction

from accounts.models import Tenant
from accounts.services import domain_add, tenant_create
from billing.services import policy_set, recharge_options_create
from ispbilling.kernel import tenancy


@transaction.atomic
def tenant_open(
    *,
    name: str,
    slug: str,
    currency: str,
    zone: str,
    country: str,
    language: str = "en",
    domains: list[str] | None = None,
    suspension_mode: str = "walled",
    support_phone: str = "",
    actor: str,
) -> Tenant:
    """A new tenant with its host names, its rules of billing and its recharge options. Raises DomainError."""
    tenant = tenant_create(
        name=name,
        slug=slug,
        currency=currency,
        zone=zone,
        country=country,
        language=language,
        support_phone=support_phone,
        actor=actor,
    )
    with tenancy.tenant_context(tenant.id):
        for host in domains or []:
            domain_add(host=host, actor=actor)
        policy_set(changes={"suspension_mode": suspension_mode}, actor=actor)
        recharge_options_create()
    return tenant
