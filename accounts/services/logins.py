"""A device that signed in, and its refresh tokens: each good for one use, all dead when one is used twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from accounts import tokens
from accounts.models import Login, RefreshToken
from ispbilling.kernel import audit, clock, tenancy
from ispbilling.kernel.errors import Unauthenticated
from ispbilling.kernel.text import foreign


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a program gets. It never sees the refresh token again."""

    access: str
    refresh: str
    login: Login

    def __repr__(self) -> str:
        return f"Tokens(login={self.login.id})"


@transaction.atomic
def login_open(
    *, kind: str, subject_id: UUID, scopes: Sequence[str] | None = None, device: str = "", actor: str
) -> Tokens:
    """A device of the current tenant's staff member or customer signed in; the caller has made sure who he is."""
    now = clock.machine_now()
    login: Login = Login.objects.create(
        kind=kind,
        subject_id=subject_id,
        scopes=list(scopes) if scopes is not None else None,
        device=foreign(device, 120),
        created_at=now,
        used_at=now,
    )
    audit.record(actor=actor, verb="login.open", row=login, new={"kind": kind, "device": login.device})
    return _tokens(login)


def login_refresh(*, refresh_token: str) -> Tokens:
    """New tokens for an unused refresh token, which is used up by it. Call outside a transaction.

    A token that comes a second time was copied: its whole family dies, also for whoever came first, and the audit
    says so. Raises Unauthenticated ``token.invalid``, always the same one.
    """
    hashed = tokens.digest(refresh_token)
    with tenancy.platform("accounts: whose refresh token is this"):
        rows = RefreshToken.objects.filter(hashed=hashed, tenant__is_active=True)
        tenant_id = rows.values_list("tenant_id", flat=True).first()
    made = None
    if tenant_id is not None:
        with tenancy.tenant_context(tenant_id):
            made = _rotate(hashed)
    if made is None:
        raise Unauthenticated("token.invalid", "This refresh token is not valid. Please sign in again.")
    return made


@transaction.atomic
def _rotate(hashed: str) -> Tokens | None:
    login_id = RefreshToken.objects.filter(hashed=hashed).values_list("login_id", flat=True).first()
    login: Login = Login.objects.select_for_update(no_key=True).get(id=login_id)
    token = RefreshToken.objects.get(hashed=hashed)  # read under the lock: of two at once one is second
    now = clock.machine_now()
    if login.revoked_at is not None or token.expires_at <= now:
        return None
    if token.used_at is not None:
        _revoke(login, actor="system:tokens", verb="login.reuse", reason="A refresh token was used a second time.")
        return None
    token.used_at = now
    token.save(update_fields=["used_at"])
    login.used_at = now
    login.save(update_fields=["used_at"])
    return _tokens(login)


@transaction.atomic
def login_close(*, login_id: UUID, actor: str) -> None:
    """Sign a device out. Its access token is refused from now on too. A login that is closed stays as it is."""
    login: Login | None = Login.objects.select_for_update(no_key=True).filter(id=login_id).first()
    if login is not None and login.revoked_at is None:
        _revoke(login, actor=actor, verb="login.close", reason="")


def login_close_by_refresh(*, refresh_token: str) -> None:
    """Sign out whoever holds only a refresh token; one that is nobody's does nothing. Call outside a transaction."""
    hashed = tokens.digest(refresh_token)
    with tenancy.platform("accounts: whose refresh token is this"):
        token = RefreshToken.objects.select_related("login").filter(hashed=hashed).first()
    if token is not None:
        with tenancy.tenant_context(token.tenant_key):
            login_close(login_id=token.login_id, actor=actor_of_login(token.login))


def actor_of_login(login: Login) -> str:
    """How its person is named in the audit."""
    return f"{'user' if login.kind == Login.Kind.STAFF else 'customer'}:{login.subject_id}"


def _revoke(login: Login, *, actor: str, verb: str, reason: str) -> None:
    login.revoked_at = clock.machine_now()
    login.save(update_fields=["revoked_at"])
    audit.record(actor=actor, verb=verb, row=login, new={"kind": login.kind, "device": login.device}, reason=reason)


def _tokens(login: Login) -> Tokens:
    refresh, now = tokens.opaque(tokens.REFRESH_MARK), clock.machine_now()
    RefreshToken.objects.create(
        login=login, hashed=tokens.digest(refresh), created_at=now, expires_at=now + tokens.REFRESH_LIFE
    )
    access = tokens.access_token(
        tenant_id=login.tenant_key,
        subject_id=login.subject_id,
        kind=login.kind,
        scopes=login.scopes,
        login_id=login.id,
    )
    return Tokens(access, refresh, login)
