"""Wrong tries at a door, counted in PostgreSQL: neither a dead Redis nor an emptied one opens or shuts it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import Tries
from ispbilling.kernel import clock
from ispbilling.kernel.errors import TooMany
from ispbilling.kernel.ids import uuid7

#: Wrong tries within a quarter of an hour: of one name from one address, from one address, of one name altogether.
PAIR, ADDRESS, NAME = 5, 50, 100
PAIR_OF = "pair"
#: Letters about a forgotten password within that time: asked for by one address, and for one name.
LETTERS, LETTERS_OF_NAME = 20, 5


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


def guess_limits(*, name: str, address: str) -> list[Limit]:
    """What a try at a door counts against, whoever makes it, on a page or in a program.

    A telephone counts as the same name however it is written: ``0712 345 678``, ``+254 712-345678``.
    """
    who = _name(name)
    return [Limit(PAIR_OF, f"{who} {address}", PAIR), Limit("address", address, ADDRESS), Limit("name", who, NAME)]


def letter_limits(*, name: str, address: str) -> list[Limit]:
    """What asking for a letter about a forgotten password counts against, whether or not anybody has that name."""
    return [Limit("letters", address, LETTERS), Limit("letters of name", _name(name), LETTERS_OF_NAME)]


def _name(text: str) -> str:
    who = "".join(text.split()).lower()
    digits = "".join(letter for letter in who if letter.isdecimal())
    is_phone = len(digits) >= 9 and not any(letter.isalpha() or letter == "@" for letter in who)
    return digits[-9:] if is_phone else who  # the rest is how the country is written


def tries_take(*, limits: Sequence[Limit]) -> None:
    """Count a try before it is made, or raise TooMany ``auth.locked`` and count nothing. Call outside a transaction.

    Looking and counting is one step under the rows' locks: of a hundred at once no more are let try than may.
    """
    with transaction.atomic():
        tries_allow(limits=limits)  # whoever is locked out waits for nobody
        for limit, count, began_at in _counted(limits):
            if count > limit.most:
                raise _locked(limit, began_at)


def tries_give_back(*, limits: Sequence[Limit]) -> None:
    """Whoever got in has his own tries again, and costs his street and his name none."""
    own = [limit for limit in limits if limit.what == PAIR_OF]
    tries_begin_anew(limits=own)
    tries_forget(limits=[limit for limit in limits if limit not in own])


def tries_allow(*, limits: Iterable[Limit]) -> None:
    """Raises TooMany ``auth.locked`` when one of the limits is reached."""
    now = clock.machine_now()
    for limit in limits:
        row = Tries.objects.filter(hashed=limit.hashed).first()
        # A row of the future was written by a clock that ran ahead: nobody is shut out until that day.
        if row is None or row.count < limit.most or not timedelta(0) <= now - row.began_at < limit.window:
            continue
        raise _locked(limit, row.began_at)


def _locked(limit: Limit, began_at: datetime) -> TooMany:
    wait = int((began_at + limit.window - clock.machine_now()).total_seconds()) + 1
    return TooMany("auth.locked", _("Too many tries. Please wait a quarter of an hour."), retry_after_s=wait)


@transaction.atomic
def tries_count(*, limits: Iterable[Limit]) -> None:
    """Count one try against each limit."""
    _counted(limits)


def _counted(limits: Iterable[Limit]) -> list[tuple[Limit, int, datetime]]:
    """Count one try against each limit; how many there are now, and since when."""
    now, found = clock.machine_now(), []
    with connection.cursor() as cursor:
        for limit in sorted(limits, key=lambda one: one.hashed):  # one order of locks
            cursor.execute(
                "INSERT INTO accounts_tries AS t (id, hashed, count, began_at) VALUES (%s, %s, 1, %s)"
                " ON CONFLICT (hashed) DO UPDATE SET"
                " count = CASE WHEN t.began_at BETWEEN %s AND excluded.began_at THEN t.count + 1 ELSE 1 END,"
                " began_at = CASE WHEN t.began_at BETWEEN %s AND excluded.began_at THEN t.began_at"
                " ELSE excluded.began_at END RETURNING count, began_at",
                [uuid7(), limit.hashed, now, now - limit.window, now - limit.window],
            )
            count, began_at = cursor.fetchone()
            found.append((limit, count, began_at))
    return found


@transaction.atomic
def tries_forget(*, limits: Iterable[Limit]) -> None:
    """Whoever got in was counted for nothing: a whole town may come from one address."""
    for hashed in sorted(limit.hashed for limit in limits):
        Tries.objects.filter(hashed=hashed, count__gt=0).update(count=F("count") - 1)


@transaction.atomic
def tries_begin_anew(*, limits: Iterable[Limit]) -> None:
    """Whoever got in has all his tries again."""
    Tries.objects.filter(hashed__in=[limit.hashed for limit in limits]).delete()
