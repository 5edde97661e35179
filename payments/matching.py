"""Whose entry of a statement is this? Pure: no clock, no database."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ispbilling.kernel.money import Money
from payments.providers.base import StatementEntry

#: A push is paid while it stands on the phone: a minute, and as much again as clocks may differ.
BEFORE, AFTER = timedelta(minutes=2), timedelta(minutes=10)
_HASH = re.compile(r"[0-9a-f]{64}")
#: So many digits must be seen of a masked number for it to say anything.
_SEEN = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """An attempt whose money may still be on its way, or came without its receipt (``is_settled``).

    ``started_at``: machine time.
    """

    payment_id: UUID
    attempt_id: UUID
    reference: str
    phone: str
    amount: Money
    started_at: datetime
    is_settled: bool = False


def plain(text: str) -> str:
    """What was typed as account, as our references are written."""
    return re.sub(r"[\s\-#]", "", text).upper()


def matched(entry: StatementEntry, candidates: Sequence[Candidate]) -> Candidate | None:
    """The one attempt an entry pays; None when none does, or more than one could. ``candidates``: oldest first.

    Our own reference decides where the entry has one. Without any, telephone, amount and time must fit exactly one. An
    entry that names something else is not the answer to a push. What is booked already and lacks its receipt comes
    before what may still be paid, the oldest of it first: it gets a number and books nothing, while an entry that is
    left over is money of nobody, which staff would book once more.
    """
    named = plain(entry.account_text)
    if named:
        fitting = [one for one in candidates if one.reference == named and one.amount == entry.amount]
    else:
        fitting = [one for one in candidates if one.amount == entry.amount and _is_his(entry, one)]
    settled = [one for one in fitting if one.is_settled]
    if settled:
        return settled[0]
    return fitting[0] if len(fitting) == 1 else None


def _is_his(entry: StatementEntry, one: Candidate) -> bool:
    if entry.at is None or not one.started_at - BEFORE <= entry.at <= one.started_at + AFTER:
        return False
    return is_payer(entry.payer, one.phone)


def is_payer(told: str, phone: str) -> bool:
    """Whether a statement's payer can be the owner of a telephone (E.164): in clear, partly hidden, or hashed."""
    digits = phone.lstrip("+")
    told = told.strip()
    if _HASH.fullmatch(told.lower()):
        return hashlib.sha256(digits.encode()).hexdigest() == told.lower()
    head, star, tail = re.sub(r"[\s+]", "", told).partition("*")
    tail = tail.lstrip("*")
    if not star:
        return len(head) >= 9 and head.isdigit() and head[-9:] == digits[-9:]
    is_seen = (head + tail).isdigit() and len(head) + len(tail) >= _SEEN
    return is_seen and digits.startswith(head) and digits.endswith(tail)
