"""Look-ups that come before a tenant is known, and the memberships of a user."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from accounts.models import ApiKey, Domain, Membership, Tenant, User
from ispbilling.kernel import tenancy
from ispbilling.kernel.errors import NotFound


def tenant_current() -> Tenant:
    """The tenant of this piece of work. Raises TenantMissing."""
    return Tenant.objects.get(id=tenancy.tenant_id_required())


def tenant_of_host(host: str) -> Tenant | None:
    """The active tenant whose domain this is; on a one-tenant installation the only one there is."""
    with tenancy.platform("accounts: tenant of a host"):
        found = Domain.objects.select_related("tenant").filter(host=host.lower()).first()
        if found is not None:
            # A host that has its tenant is never somebody else's, out of business or not.
            return cast(Tenant, found.tenant) if found.tenant.is_active else None
        only = list(Tenant.objects.filter(is_active=True)[:2])
        return only[0] if len(only) == 1 else None


def hosts_of_tenant() -> list[str]:
    """The host names of the current tenant."""
    return list(Domain.objects.order_by("host").values_list("host", flat=True))


def tenants_active() -> list[Tenant]:
    """For what answers before a tenant is known: every tenant that is in business."""
    with tenancy.platform("accounts: whose visitor is this"):
        return list(Tenant.objects.filter(is_active=True).order_by("id"))


def memberships_of(user: User) -> list[Membership]:
    """Active memberships of a user over all tenants, with their tenants, by name."""
    with tenancy.platform("accounts: memberships of a user"):
        return list(
            Membership.objects.filter(user=user, is_active=True, tenant__is_active=True)
            .select_related("tenant")
            .order_by("tenant__name")
        )


def tenant_ids_active() -> list[UUID]:
    """For schedulers: every tenant that is in business."""
    with tenancy.platform("accounts: list tenants for a scheduler"):
        return list(Tenant.objects.filter(is_active=True).order_by("id").values_list("id", flat=True))


def tenant_of_slug(slug: str) -> Tenant:
    """Raises NotFound."""
    with tenancy.platform("accounts: tenant of a slug"):
        found = Tenant.objects.filter(slug=slug).first()
    if found is None:
        raise NotFound("tenant.unknown", f"There is no tenant “{slug}”.")
    return found


def api_keys() -> list[ApiKey]:
    """The current tenant's keys that were not taken back, newest first, with their makers."""
    rows = ApiKey.objects.filter(revoked_at=None).select_related("user")
    return list(rows.order_by("-created_at", "-id")[:200])
