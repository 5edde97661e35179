"""Browsers in which a subscriber is signed in: known by what they were begun with, ended one by one or all at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction

from accounts.services import login_close
from customers.models import Customer
from ispbilling.kernel import audit, clock
from ispbilling.kernel.errors import NotFound
from ispbilling.kernel.text import foreign
from portal.models import CustomerSignIn
from portal.selectors import devices_of


@transaction.atomic
def sign_in_begin(*, customer: Customer, session_key: str, agent: str) -> CustomerSignIn:
    """Remember a session that has just begun; what is left of sessions that are over is forgotten."""
    now = clock.machine_now()
    living = Session.objects.filter(expire_date__gt=now).values("session_key")
    CustomerSignIn.objects.filter(customer=customer).exclude(session_key__in=living).delete()
    sign_in: CustomerSignIn = CustomerSignIn.objects.create(
        customer=customer,
        session_key=session_key,
        address=audit.source_address.get(),
        agent=foreign(agent, 300),
        began_at=now,
        seen_at=now,
    )
    return sign_in


def sign_in_seen(*, session_key: str, seen_at: datetime | None) -> None:
    """The session is in use. ``seen_at`` is what is known; written anew once that is old enough."""
    now = clock.machine_now()
    if seen_at is None or abs(now - seen_at) < timedelta(seconds=settings.SEEN_EVERY_S):
        return
    CustomerSignIn.objects.filter(session_key=session_key).update(seen_at=now, address=audit.source_address.get())


@transaction.atomic
def sign_in_end(*, customer: Customer, sign_in_id: UUID) -> None:
    """End one of a subscriber's sessions. Raises NotFound ``sign_in.unknown``."""
    found = CustomerSignIn.objects.filter(customer=customer, id=sign_in_id).first()
    if found is None:
        raise NotFound("sign_in.unknown", "There is no such session of yours.")
    _end([found])
    audit.record(actor=f"customer:{customer.id}", verb="session.end", row=customer, new={"sessions": 1})


@transaction.atomic
def sign_ins_end(*, customer: Customer, keep: str = "") -> int:
    """End every session of a subscriber but the one with the key ``keep``, and sign his apps out. How many."""
    actor = f"customer:{customer.id}"
    rows = list(CustomerSignIn.objects.filter(customer=customer).exclude(session_key=keep))
    _end(rows)
    devices = devices_of(customer.id)
    for device in devices:
        login_close(login_id=device.id, actor=actor)
    if rows:
        audit.record(actor=actor, verb="session.end", row=customer, new={"sessions": len(rows)})
    return len(rows) + len(devices)


def _end(rows: list[CustomerSignIn]) -> None:
    Session.objects.filter(session_key__in=[row.session_key for row in rows]).delete()
    CustomerSignIn.objects.filter(id__in=[row.id for row in rows]).delete()
