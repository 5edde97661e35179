"""Wrong tries at a door, counted in PostgreSQL: neither a dead Redis nor an emptied one opens or shuts it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import Tries
from ispbilling.kernel import clock
from ispbilling.kernel.errors import TooMany
from ispbilling.kernel.ids import uuid7


@dataclass(frozen=True, slots=True)
class Limit:
    """So many of ``what`` within ``window``; ``of`` is counted by its hash, whether or not it exists."""

    what: str
    of: str
    most: int
    window: timedelta = timedelta(minutes=15)

    @property
    def hashed(self) -> str:
        return hashlib.sha256(f"{self.what}:{self.of}".encode()).hexdigest()


def tries_allow(*, limits: Iterable[Limit]) -> None:
    """Raises TooMany ``auth.locked`` when one of the limits is reached."""
    now = clock.machine_now()
    for limit in limits:
        row = Tries.objects.filter(hashed=limit.hashed).first()
        # A row of the future was written by a clock that ran ahead: nobody is shut out until that day.
        if row is None or row.count < limit.most or not timedelta(0) <= now - row.began_at < limit.window:
            continue
        wait = int((row.began_at + limit.window - now).total_seconds()) + 1
        raise TooMany("auth.locked", _("Too many tries. Please wait a quarter of an hour."), retry_after_s=wait)


@transaction.atomic
def tries_count(*, limits: Iterable[Limit]) -> None:
    """Count one try against each limit."""
    now = clock.machine_now()
    with connection.cursor() as cursor:
        for limit in sorted(limits, key=lambda one: one.hashed):  # one order of locks
            cursor.execute(
                "INSERT INTO accounts_tries AS t (id, hashed, count, began_at) VALUES (%s, %s, 1, %s)"
                " ON CONFLICT (hashed) DO UPDATE SET"
                " count = CASE WHEN t.began_at BETWEEN %s AND excluded.began_at THEN t.count + 1 ELSE 1 END,"
                " began_at = CASE WHEN t.began_at BETWEEN %s AND excluded.began_at THEN t.began_at"
                " ELSE excluded.began_at END",
                [uuid7(), limit.hashed, now, now - limit.window, now - limit.window],
            )


@transaction.atomic
def tries_forget(*, limits: Iterable[Limit]) -> None:
    """Whoever got in was counted for nothing: a whole town may come from one address."""
    for hashed in sorted(limit.hashed for limit in limits):
        Tries.objects.filter(hashed=hashed, count__gt=0).update(count=F("count") - 1)


@transaction.atomic
def tries_begin_anew(*, limits: Iterable[Limit]) -> None:
    """Whoever got in has all his tries again."""
    Tries.objects.filter(hashed__in=[limit.hashed for limit in limits]).delete()
