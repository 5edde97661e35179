"""Who a program says it is in its ``Authorization`` header, and whether that is so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from accounts import services, tokens
from accounts.models import ApiKey, Domain, Login, Membership, Tenant
from accounts.permissions import permissions_of
from ispbilling.kernel import clock, tenancy
from ispbilling.kernel.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class Caller:
    """A program that was let in at the gate. ``granted``: the permissions it may use, none for a customer's."""

    tenant: Tenant
    kind: str
    subject_id: UUID  # the user's or the customer's
    granted: frozenset[str]
    membership: Membership | None = None
    login_id: UUID | None = None  # of an access token; an API key has none

    @property
    def user(self) -> Any:
        return self.membership.user if self.membership is not None else None


def caller_of(header: str, host: str) -> Caller:
    """The caller an ``Authorization`` header proves. ``host`` must not be another tenant's.

    Raises Unauthenticated ``token.invalid`` or ``token.expired``.
    """
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "bearer" or not text or len(text) > 4000 or not text.isascii():
        raise Unauthenticated("token.invalid", "“Authorization: Bearer …” is what is understood here.")
    found = _of_key(text) if text.startswith(tokens.KEY_MARK) else _of_access_token(text)
    with tenancy.platform("accounts: whose host is this"):
        owner = Domain.objects.filter(host=host.lower()).values_list("tenant_id", flat=True).first()
    if owner not in (None, found.tenant.id):
        raise Unauthenticated("token.invalid", "This token is not for this address.")
    return found


def _of_access_token(text: str) -> Caller:
    claims = tokens.access_read(text)
    gone = Unauthenticated("token.invalid", "This login has ended. Please sign in again.")
    membership = None
    with tenancy.platform("accounts: is this login still good"):
        rows = Login.objects.select_related("tenant").filter(id=claims.login_id, tenant_id=claims.tenant_id)
        login = rows.filter(revoked_at=None, tenant__is_active=True, subject_id=claims.subject_id).first()
        if login is not None and claims.kind == Login.Kind.STAFF:
            membership = _membership(claims.tenant_id, claims.subject_id)
    if login is None or login.kind != claims.kind:
        raise gone
    if claims.kind == Login.Kind.CUSTOMER:
        return Caller(cast(Tenant, login.tenant), claims.kind, claims.subject_id, frozenset(), login_id=login.id)
    if membership is None:
        raise gone
    with tenancy.tenant_context(claims.tenant_id):
        granted = permissions_of(membership.role)
    if claims.scopes is not None:
        granted &= frozenset(claims.scopes)
    return Caller(cast(Tenant, login.tenant), claims.kind, claims.subject_id, granted, membership, login.id)


def _of_key(text: str) -> Caller:
    membership = None
    with tenancy.platform("accounts: whose API key is this"):
        rows = ApiKey.objects.select_related("tenant").filter(revoked_at=None, tenant__is_active=True)
        key = rows.filter(hashed=tokens.digest(text)).first()
        if key is not None and (key.expires_at is None or key.expires_at > clock.machine_now()):
            membership = _membership(key.tenant_key, key.user_id)
    if key is None or membership is None:
        raise Unauthenticated("token.invalid", "This API key is not valid.")
    with tenancy.tenant_context(key.tenant_key):
        services.api_key_used(key=key)
        granted = permissions_of(membership.role) & frozenset(key.scopes)
    return Caller(cast(Tenant, key.tenant), Login.Kind.STAFF, membership.user_id, granted, membership)


def _membership(tenant_id: UUID, user_id: UUID) -> Membership | None:
    rows = Membership.objects.select_related("user", "tenant").filter(is_active=True, user__is_active=True)
    found: Membership | None = rows.filter(tenant_id=tenant_id, user_id=user_id).first()
    return found
