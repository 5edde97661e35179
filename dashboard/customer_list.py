"""Which customers a list wants, for the page, for programs and for jobs over many: one way to ask.

Everything asked for stands in columns of the customer himself, each with an index that carries the order too, so a
list costs the same for a thousand customers and for a hundred thousand, on its first page and on its last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db.models import Exists, OuterRef, QuerySet

from customers import search
from customers.models import Customer
from ispbilling.kernel import clock, tenancy
from network.models import Session

Standing = Customer.Standing
DELETED = "deleted"
#: Sort → the column and whether it ascends.
SORTS = {"newest": ("created_at", False), "name": ("sort_name", True), "expiry": ("paid_until", True)}

#: A total beyond this is remembered for a moment, so that a hundred thousand rows are not counted for every page.
COUNTED = 2_000
REMEMBERED_S = 10


def customers_wanted(asked: Mapping[str, Any]) -> QuerySet[Customer]:
    """Those a question is about, in no order.

    ``q`` words; ``standing`` one of ``Customer.Standing`` or ``deleted``; ``package``, ``router`` ids; ``online`` and
    ``owing`` bool or None; ``runs_out_from``, ``runs_out_until``, ``created_from``, ``created_until`` instants, the
    first included and the second not; ``within_days`` a number from now.
    """
    if asked.get("standing") == DELETED:
        rows: QuerySet[Customer] = Customer.objects.filter(deleted_at__isnull=False)
    else:
        rows = Customer.objects.filter(kind=Customer.Kind.SUBSCRIBER, deleted_at__isnull=True)
        if asked.get("standing"):
            rows = rows.filter(standing=asked["standing"])
    for name, column in (("package", "package_key"), ("router", "router_key")):
        if asked.get(name):
            rows = rows.filter(**{column: UUID(str(asked[name]))})
    if asked.get("owing"):
        rows = rows.filter(is_owing=True)
    if asked.get("online") is not None:
        sessions = Session.objects.filter(line__customer_id=OuterRef("id"), stopped_at=None, router__is_up=True)
        rows = rows.filter(Exists(sessions) if asked["online"] else ~Exists(sessions))
    for name, condition in (
        ("runs_out_from", "paid_until__gte"),
        ("runs_out_until", "paid_until__lt"),
        ("created_from", "created_at__gte"),
        ("created_until", "created_at__lt"),
    ):
        if asked.get(name):
            rows = rows.filter(**{condition: asked[name]})
    if asked.get("within_days"):
        at: datetime = clock.now()
        rows = rows.filter(paid_until__gte=at, paid_until__lt=at + timedelta(days=asked["within_days"]))
    return search.met(rows, asked.get("q", "")[:80])


def counted(rows: QuerySet[Customer], name: str) -> int:
    """How many they are. ``name`` says what was asked; a large total may be ten seconds old."""
    key = f"customers:{tenancy.tenant_id_required()}:{hashlib.sha256(name.encode()).hexdigest()}"
    known = cache.get(key)
    if isinstance(known, int):
        return known
    total = rows.count()
    if total > COUNTED:
        cache.set(key, total, REMEMBERED_S)
    return total
