"""What spans apps: a tenant with everything it begins with, a customer who goes and comes back."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from accounts.models import Tenant
from accounts.services import domain_add, tenant_create
from billing.services import policy_set, recharge_options_create, subscriptions_go_on, subscriptions_stop
from customers.models import Customer
from customers.services import customer_delete, customer_restore
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


@transaction.atomic
def customer_remove(*, customer_id: UUID, actor: str) -> Customer:
    """Stop a customer's lines, then hide him. Raises NotFound."""
    subscriptions_stop(customer_id=customer_id, actor=actor)
    return customer_delete(customer_id=customer_id, actor=actor)


@transaction.atomic
def customer_bring_back(*, customer_id: UUID, actor: str) -> Customer:
    """Show a deleted customer again, with his lines as they are paid for. Raises NotFound, Conflict."""
    customer = customer_restore(customer_id=customer_id, actor=actor)
    subscriptions_go_on(customer_id=customer_id, actor=actor)
    return customer
