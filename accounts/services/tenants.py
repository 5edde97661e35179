"""Writes of tenants and staff."""

from __future__ import annotations

from uuid import UUID
from zoneinfo import ZoneInfo

import phonenumbers
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import Domain, Membership, Role, Tenant, User
from ispbilling.kernel import audit, clock, phone, tenancy
from ispbilling.kernel.errors import Conflict, DomainError
from ispbilling.kernel.ids import uuid7


@transaction.atomic
def tenant_create(
    *,
    name: str,
    slug: str,
    currency: str,
    zone: str,
    country: str,
    language: str = "en",
    support_phone: str = "",
    actor: str,
) -> Tenant:
    """Open a tenant. ``support_phone`` is the staff's own: warnings go to it.

    Raises DomainError for an unknown zone, country or telephone, Conflict ``tenant.slug`` when taken.
    """
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise DomainError("tenant.zone", f"“{zone}” is not a time zone, such as Africa/Nairobi.") from error
    if country.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise DomainError("tenant.country", f"“{country}” is not a country code, such as KE.")
    with tenancy.platform("accounts: create a tenant"):
        if Tenant.objects.filter(slug=slug).exists():
            raise Conflict("tenant.slug", f"There is a tenant “{slug}” already.")
        tenant: Tenant = Tenant.objects.create(
            id=uuid7(),
            name=name,
            slug=slug,
            currency=currency.upper(),
            zone=zone,
            country=country.upper(),
            language=language,
            support_phone=phone.normalise(support_phone, country.upper()) if support_phone else "",
            created_at=clock.now(),
        )
    with tenancy.tenant_context(tenant.id):
        audit.record(actor=actor, verb="tenant.create", row=tenant, new={"name": name, "slug": slug})
    return tenant


@transaction.atomic
def tenant_change(
    *,
    name: str,
    support_phone: str,
    zone: str,
    language: str,
    address: str | None = None,
    tax_number: str | None = None,
    invoice_footer: str | None = None,
    actor: str,
) -> Tenant:
    """Change what the current tenant says of itself; None leaves as it is.

    Raises DomainError ``tenant.zone``, ``phone.invalid``.
    """
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise DomainError("tenant.zone", f"“{zone}” is not a time zone.", fields={"zone": ["Not a zone."]}) from error
    tenant = Tenant.objects.select_for_update(no_key=True).get(id=tenancy.tenant_id_required())
    number = phone.normalise(support_phone, tenant.country) if support_phone else ""
    wanted: dict[str, str | None] = {"name": name, "support_phone": number, "zone": zone, "language": language}
    wanted |= {"address": address, "tax_number": tax_number, "invoice_footer": invoice_footer}
    changes = {field: value for field, value in wanted.items() if value is not None and getattr(tenant, field) != value}
    old = {field: getattr(tenant, field) for field in changes}
    for field, value in changes.items():
        setattr(tenant, field, value)
    if changes:
        tenant.save(update_fields=list(changes))
        audit.record(actor=actor, verb="tenant.change", row=tenant, old=old, new=changes)
    return tenant


@transaction.atomic
def tenant_first_steps_set(*, is_shown: bool, actor: str) -> Tenant:
    """Whether the current tenant's home page leads through the first steps. The same wish again changes nothing."""
    tenant = Tenant.objects.select_for_update(no_key=True).get(id=tenancy.tenant_id_required())
    if tenant.has_first_steps != is_shown:
        tenant.has_first_steps = is_shown
        tenant.save(update_fields=["has_first_steps"])
        audit.record(
            actor=actor,
            verb="tenant.first_steps",
            row=tenant,
            old={"has_first_steps": not is_shown},
            new={"has_first_steps": is_shown},
        )
    return tenant


@transaction.atomic
def domain_add(*, host: str, actor: str) -> Domain:
    """Give the current tenant a host name. Raises Conflict ``domain.taken``."""
    host = host.lower()
    with tenancy.platform("accounts: is a host name taken"):
        taken = Domain.objects.filter(host=host).values_list("tenant_id", flat=True).first()
    if taken is not None and taken != tenancy.tenant_id_required():
        raise Conflict("domain.taken", f"“{host}” belongs to another tenant.")
    domain, created = Domain.objects.get_or_create(host=host)
    if created:
        audit.record(actor=actor, verb="domain.add", row=domain, new={"host": host})
    return domain


@transaction.atomic
def staff_create(*, email: str, password: str, role: str, name: str = "", actor: str) -> Membership:
    """Let a person work for the current tenant; a user who exists keeps the password he has.

    Raises DomainError ``staff.role``, ``staff.password``, Conflict ``staff.exists``.
    """
    if role not in Role.values:
        raise DomainError("staff.role", f"“{role}” is not a role ({', '.join(Role.values)}).")
    user = User.objects.filter(email=email.lower()).first()
    if user is None:
        try:
            validate_password(password, User(email=email, name=name))
        except ValidationError as error:
            raise DomainError("staff.password", " ".join(error.messages), fields={"password": error.messages}) from None
        user = User.objects.create_user(email, password, name=name)
    membership, created = Membership.objects.get_or_create(
        user=user, defaults={"role": role, "created_at": clock.now()}
    )
    if not created:
        raise Conflict("staff.exists", f"{email} works for this tenant already.")
    audit.record(actor=actor, verb="staff.create", row=membership, new={"email": email, "role": role})
    return membership


def actor_of(user_id: UUID) -> str:
    """How a staff member is named in the audit."""
    return f"user:{user_id}"
