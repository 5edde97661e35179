"""Small numbers beside entries of the navigation: how many things there wait for a person.

All of a tenant's are counted in one statement, at most every half minute, and none higher than it helps to know. They
are ornaments: whatever goes wrong with them leaves the page without numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet

log = structlog.get_logger(__name__)

KEPT_S = 30
MOST = 100  # counted no further: it is shown as "99+"


@dataclass(frozen=True, slots=True)
class Counter:
    """``url`` is the URL name of the entry it stands at; ``rows`` what is counted, of the current tenant.

    An alarm also lights the bell of the top bar while it is not zero.
    """

    url: str
    rows: Callable[[], QuerySet[Any]]
    permission: str
    is_alarm: bool = False


_counters: dict[str, Counter] = {}


def register(url: str, *, rows: Callable[[], QuerySet[Any]], permission: str, is_alarm: bool = False) -> None:
    """Count ``rows()`` beside the entry ``url``. Raises ValueError for an entry that has a counter."""
    if url in _counters:
        raise ValueError(f"{url!r} has two counters")
    _counters[url] = Counter(url, rows, permission, is_alarm)


def counters() -> list[Counter]:
    return list(_counters.values())


def counts_of(tenant_id: UUID) -> dict[str, int]:
    """URL name → count, for the current tenant, up to half a minute old. What cannot be counted is missing."""
    key = f"counters:{tenant_id}"
    known: dict[str, int] | None = cache.get(key)
    if known is None:
        known = _counted(counters())
        cache.set(key, known, KEPT_S)
    return known


def forget(tenant_id: UUID) -> None:
    """Count anew at the next look: somebody has just worked on what is counted."""
    cache.delete(f"counters:{tenant_id}")


def _counted(wanted: list[Counter]) -> dict[str, int]:
    try:
        with transaction.atomic():  # also for pages that are drawn outside one
            return _count(wanted)
    except DatabaseError as error:
        log.warning("counters.failed", error=type(error).__name__)
        return {}


def _count(wanted: list[Counter]) -> dict[str, int]:
    names: list[str] = []
    parts: list[str] = []
    values: list[Any] = []
    for counter in wanted:
        try:
            text, arguments = counter.rows().order_by().values("pk")[:MOST].query.sql_with_params()
        except EmptyResultSet:
            continue
        names.append(counter.url)
        parts.append(f"(SELECT count(*) FROM ({text}) AS counted)")
        values.extend(arguments)
    if not parts:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(parts), values)
        return dict(zip(names, cursor.fetchone(), strict=True))
