"""Sessions of people: known by what they were begun with, ended one by one or all at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction

from accounts.models import Login, SignIn, User
from accounts.services.logins import login_close
from ispbilling.kernel import audit, clock, tenancy
from ispbilling.kernel.errors import NotFound
from ispbilling.kernel.text import foreign


@transaction.atomic
def sign_in_begin(*, user: User, session_key: str, agent: str) -> SignIn:
    """Remember a session that has just begun; what is left of sessions that are over is forgotten."""
    now = clock.machine_now()
    living = Session.objects.filter(expire_date__gt=now).values("session_key")
    SignIn.objects.filter(user=user).exclude(session_key__in=living).delete()
    sign_in, _ = SignIn.objects.update_or_create(
        session_key=session_key,
        defaults={
            "user": user,
            "address": audit.source_address.get(),
            "agent": foreign(agent, 300),
            "began_at": now,
            "seen_at": now,
        },
    )
    return sign_in


def sign_in_seen(*, session_key: str, seen_at: datetime | None) -> None:
    """The session is in use. ``seen_at`` is what is known; written anew once that is old enough."""
    now = clock.machine_now()
    if seen_at is None or abs(now - seen_at) < timedelta(seconds=settings.SEEN_EVERY_S):
        return
    SignIn.objects.filter(session_key=session_key).update(seen_at=now, address=audit.source_address.get())


def sign_in_move(*, sign_in_id: str, session_key: str) -> None:
    """The session got another key, as after a change of password."""
    SignIn.objects.filter(id=sign_in_id).update(session_key=session_key)


@transaction.atomic
def sign_in_end(*, user: User, sign_in_id: UUID, actor: str) -> None:
    """End one of a person's sessions. Raises NotFound ``sign_in.unknown``."""
    found = SignIn.objects.filter(user=user, id=sign_in_id).first()
    if found is None:
        raise NotFound("sign_in.unknown", "There is no such session of yours.")
    _end([found])
    audit.record(actor=actor, verb="session.end", row=user, new={"sessions": 1})


@transaction.atomic
def sign_ins_end(*, user: User, keep: str = "", actor: str = "", reason: str = "") -> int:
    """End all sessions of a person but the one with the key ``keep``, and sign his programs out. Returns how many.

    Keys of the API stay: they are taken back one by one. Written down with an actor.
    """
    rows = list(SignIn.objects.filter(user=user).exclude(session_key=keep))
    _end(rows)
    count = len(rows) + _devices_end(user)
    if actor and count:
        audit.record(actor=actor, verb="session.end", row=user, new={"sessions": count}, reason=reason)
    return count


def _devices_end(user: User) -> int:
    """Of all tenants he works for: it is one person with one password."""
    with tenancy.platform("accounts: where is this person signed in"):
        rows = Login.objects.filter(kind=Login.Kind.STAFF, subject_id=user.id, revoked_at=None)
        found = list(rows.order_by("id").values_list("tenant_id", "id"))
    for tenant_id, login_id in found:
        with tenancy.tenant_context(tenant_id):
            login_close(login_id=login_id, actor=f"user:{user.id}")
    return len(found)


def _end(rows: list[SignIn]) -> None:
    Session.objects.filter(session_key__in=[row.session_key for row in rows]).delete()
    SignIn.objects.filter(id__in=[row.id for row in rows]).delete()
