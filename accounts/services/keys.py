"""API keys: what machines come with instead of signing in."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts import tokens
from accounts.models import ApiKey, Membership
from accounts.permissions import permissions_of
from ispbilling.kernel import audit, clock
from ispbilling.kernel.errors import DomainError, NotFound

#: How much of a key stays visible: enough to tell keys apart.
PREFIX = len(tokens.KEY_MARK) + 6
#: A key's last use is written no oftener than this.
USED_EVERY = timedelta(minutes=1)


@transaction.atomic
def api_key_create(
    *, membership: Membership, name: str, scopes: Collection[str], expires_at: datetime | None, actor: str
) -> tuple[ApiKey, str]:
    """A key that may what ``scopes`` say, as long as its maker may. Returns it with its text, shown this once.

    Raises DomainError ``key.scopes``, ``key.expiry``.
    """
    unknown = sorted(set(scopes) - permissions_of(membership.role))
    if unknown or not scopes:
        texts = [f"You may not give “{name}”." for name in unknown] or ["At least one is needed."]
        raise DomainError("key.scopes", "A key can do what its maker can, and nothing else.", fields={"scopes": texts})
    if expires_at is not None and expires_at <= clock.machine_now():
        raise DomainError("key.expiry", "That time is past.", fields={"expiresAt": ["Please give a later time."]})
    text = tokens.opaque(tokens.KEY_MARK)
    key: ApiKey = ApiKey.objects.create(
        user_id=membership.user_id,
        name=name,
        prefix=text[:PREFIX],
        hashed=tokens.digest(text),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
        created_at=clock.machine_now(),
    )
    audit.record(actor=actor, verb="key.create", row=key, new={"name": name, "scopes": key.scopes})
    return key, text


@transaction.atomic
def api_key_revoke(*, key_id: UUID, actor: str) -> None:
    """Raises NotFound, also for one that was revoked before."""
    key: ApiKey | None = ApiKey.objects.select_for_update(no_key=True).filter(id=key_id, revoked_at=None).first()
    if key is None:
        raise NotFound("key.unknown", "There is no such key.")
    key.revoked_at = clock.machine_now()
    key.save(update_fields=["revoked_at"])
    audit.record(actor=actor, verb="key.revoke", row=key, new={"name": key.name})


@transaction.atomic
def api_key_used(*, key: ApiKey) -> None:
    """Remember when a key was used last, roughly."""
    now = clock.machine_now()
    if key.used_at is None or not timedelta(0) <= now - key.used_at < USED_EVERY:
        ApiKey.objects.filter(id=key.id).update(used_at=now)
