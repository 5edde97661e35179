"""Look-ups that come before a tenant is known, and the memberships of a user."""

from __future__ import annotations

import hashlib
from typing import cast
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db.models import Exists, JSONField, OuterRef, QuerySet
from django.db.models.expressions import RawSQL

from accounts.models import (
    ApiKey,
    Domain,
    Invitation,
    Logo,
    Membership,
    RecoveryCode,
    SignIn,
    Tenant,
    TotpDevice,
    User,
)
from ispbilling.kernel import clock, tenancy
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


def logo_current() -> Logo | None:
    """The current tenant's logo."""
    found: Logo | None = Logo.objects.first()
    return found


def tenants_reachable() -> QuerySet[Tenant]:
    """The current tenant, once it has said which telephone is its own."""
    return Tenant.objects.filter(id=tenancy.tenant_id_required()).exclude(support_phone="")


def hosts_of_tenant() -> list[str]:
    """The host names of the current tenant."""
    return list(Domain.objects.order_by("host").values_list("host", flat=True))


def tenants_active() -> list[Tenant]:
    """For what answers before a tenant is known: every tenant that is in business."""
    with tenancy.platform("accounts: whose visitor is this"):
        return list(Tenant.objects.filter(is_active=True).order_by("id"))


#: Beside each membership. Written out: every request of the staff asks this, and putting it together from expressions
#: took longer than the database's answer.
_DEVICE = "SELECT id FROM accounts_totpdevice WHERE user_id = accounts_membership.user_id AND confirmed LIMIT 1"
_SEEN_AT = "SELECT seen_at FROM accounts_signin WHERE user_id = accounts_membership.user_id AND session_key = %s"
_SAID = (
    "SELECT coalesce(jsonb_object_agg(permission, is_granted), '{}') FROM accounts_roleoverride o"
    " WHERE o.tenant_id = accounts_membership.tenant_id AND o.role = accounts_membership.role"
)


def memberships_of(user: User, session_key: str = "") -> list[Membership]:
    """Active memberships of a user over all tenants, with their tenants, by name.

    ``device_id`` of each is the user's second factor, None when it is switched off; ``seen_at`` when the session was
    last seen, None when nothing is known of it; ``said`` what its tenant says of the role, permission → granted.
    """
    with tenancy.platform("accounts: memberships of a user"):
        # The base manager: the usual one keeps to the current tenant even here.
        return list(
            Membership._base_manager.filter(user=user, is_active=True, tenant__is_active=True)
            .select_related("tenant")
            .annotate(
                device_id=RawSQL(_DEVICE, []),
                seen_at=RawSQL(_SEEN_AT, [session_key]),
                said=RawSQL(_SAID, [], output_field=JSONField()),
            )
            .order_by("tenant__name")
        )


def device_of(user: User) -> TotpDevice | None:
    """A person's second factor, switched on or only begun."""
    found: TotpDevice | None = TotpDevice.objects.filter(user=user).first()
    return found


def recovery_codes_left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def members_all() -> list[Membership]:
    """Everybody who works or worked for the tenant, by e-mail; ``is_secured`` says whether his second factor is on."""
    device = TotpDevice.objects.filter(user=OuterRef("user"), confirmed=True)
    rows = Membership.objects.select_related("user").annotate(is_secured=Exists(device))
    return list(rows.order_by("-is_active", "user__email"))


def member_get(member_id: UUID) -> Membership:
    """One of them. Raises NotFound."""
    found = next((row for row in members_all() if row.id == member_id), None)
    if found is None:
        raise NotFound("staff.unknown", "Nobody of that kind works here.")
    return found


def works_elsewhere(member: Membership) -> bool:
    """Whether this person works for another tenant too."""
    with tenancy.platform("accounts: who else has this person"):
        rows = Membership._base_manager.filter(user_id=member.user_id, is_active=True, tenant__is_active=True)
        return rows.exclude(tenant_id=member.tenant_key).exists()


def invitations_open() -> QuerySet[Invitation]:
    """Who was asked and has neither come nor been told not to, the last first."""
    rows = Invitation.objects.filter(accepted_at=None, withdrawn_at=None)
    found: QuerySet[Invitation] = rows.order_by("-created_at", "-id")
    return found


def invitation_of_key(key: str) -> Invitation | None:
    """The invitation a link names, with its tenant, while it can be accepted; over all tenants."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    with tenancy.platform("accounts: whose invitation is this"):
        rows = Invitation.objects.filter(digest=digest, accepted_at=None, withdrawn_at=None, tenant__is_active=True)
        found: Invitation | None = rows.filter(expires_at__gt=clock.machine_now()).select_related("tenant").first()
    return found


def sign_ins_of(user: User) -> list[SignIn]:
    """Where a person is signed in now, the last seen first."""
    living = Session.objects.filter(expire_date__gt=clock.machine_now()).values("session_key")
    return list(SignIn.objects.filter(user=user, session_key__in=living).order_by("-seen_at", "-id"))


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
