"""What everybody does, day by day: drawn from a seed, as data. Pure.

Seed, house, number of days and last instant decide it all. Each act carries what makes it happen once: its ``key``, and
the receipt a gateway would have given, made of the seed, the customer and the count of his payments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from random import Random

from billing.calculations import Period, extended
from dashboard.demo.houses import House, Offer
from dashboard.demo.people import Person, person


class Kind(StrEnum):
    """What happens. The last ones are for nobody in particular."""

    JOIN = "join"
    PUSH = "push"
    PUSH_FAILED = "push_failed"
    CASH = "cash"
    TRANSFER = "transfer"
    HOLD = "hold"
    LEAVE = "leave"
    STRAY = "stray"  # money under a name nobody knows
    CLAIM = "claim"  # and staff find out whose it was
    LOOK = "look"  # time has passed: what falls due
    READ = "read"  # who is online


@dataclass(frozen=True, slots=True, order=True)
class Act:
    """``who``: the customer's number, -1 for nobody. ``code``: how a gateway refused; ``text``: what a payer typed;
    ``late``: how long after his expiry a customer will pay."""

    at: datetime
    kind: Kind
    who: int = -1
    key: str = ""
    receipt: str = ""
    periods: int = 1
    amount: Decimal = Decimal(0)
    code: int = 0
    text: str = ""
    late: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Customer:
    """Who he is, what he takes (an index into the house's offers) and behind which router he lives (likewise)."""

    person: Person
    offer: int
    router: int
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """All customers by number, and all acts in the order of time."""

    house: House
    seed: int
    first: datetime
    last: datetime
    customers: tuple[Customer, ...]
    acts: tuple[Act, ...]

    def by_day(self) -> Iterator[tuple[datetime, list[Act]]]:
        """(local midnight, its acts), every day in turn."""
        begin, at = self.first, 0
        while begin <= self.last:
            end = begin + timedelta(days=1)
            until = at
            while until < len(self.acts) and self.acts[until].at < end:
                until += 1
            yield begin, list(self.acts[at:until])
            begin, at = end, until


#: When people pay, as (local hour, minute) at which half an hour of paying begins.
_PAYING = ((7, 10), (12, 30), (18, 20), (18, 20), (20, 15), (20, 15))
#: When time is looked at and what fell due is done, and when routers are read.
_LOOKS = ((6, 0), (11, 0), (17, 0), (23, 0))
_READS = ((6, 5), (21, 0))
#: How a push fails, with M-Pesa's own code: no money, turned down, not answered.
_FAILURES = (1, 1032, 1032, 1037)
#: Customers who came an hour ago and have not paid yet.
NEWCOMERS = 2


def plan(*, house: House, seed: int, days: int, last: datetime) -> Plan:
    """The acts of ``days`` whole days and of the day of ``last`` until then."""
    local = last.astimezone(house.zone_info)
    midnight = datetime.combine(local.date(), time(0), tzinfo=house.zone_info)
    first = (midnight - timedelta(days=days)).astimezone(UTC)
    customers = tuple(_customers(house, seed, first, last, days))
    acts: list[Act] = []
    for number, customer in enumerate(customers):
        life = _Life(house, seed, number, customer, last)
        acts += life.acts()
    acts += _looks(house, first, last)
    if house.takes_mpesa:
        acts += _strays(house, seed, first, last, days, len(customers))
    return Plan(house, seed, first, last, customers, tuple(sorted(act for act in acts if act.at <= last)))


def _dice(*words: object) -> Random:
    return Random(":".join(map(str, words)))


def _customers(house: House, seed: int, first: datetime, last: datetime, days: int) -> Iterator[Customer]:
    """Two thirds come within the first third of the time, as with any new provider; the last few came just now."""
    dice = _dice(seed, house.slug, "customers")
    shares = [offer.share for offer in house.offers]
    old = house.customers - NEWCOMERS
    early = old * 2 // 3
    joined = []
    for number in range(old):
        begin, length = (0.0, days / 3) if number < early else (days / 3, days * 2 / 3 - 0.5)
        day = begin + length * dice.random()
        joined.append(first + timedelta(days=int(day), hours=8 + 9 * dice.random()))
    joined.sort()
    joined += [last - timedelta(minutes=40 + 15 * number) for number in range(NEWCOMERS)][::-1]
    for number, at in enumerate(joined):
        offer = 0 if number >= old else dice.choices(range(len(shares)), shares)[0]
        # Behind the first router from the beginning; the others were put up as the place grew.
        yield Customer(
            person(house.country, number, dice), offer, dice.randrange(len(house.routers)), at.replace(microsecond=0)
        )


def _looks(house: House, first: datetime, last: datetime) -> Iterator[Act]:
    day = first
    while day <= last:
        for hour, minute in _LOOKS:
            yield Act(_local(house, day, hour, minute), Kind.LOOK)
        for hour, minute in _READS:
            yield Act(_local(house, day, hour, minute), Kind.READ)
        day += timedelta(days=1)
    yield Act(last - timedelta(seconds=10), Kind.LOOK)
    yield Act(last, Kind.READ)


def _local(house: House, day: datetime, hour: int, minute: int, second: int = 0) -> datetime:
    date = day.astimezone(house.zone_info).date()
    return datetime.combine(date, time(hour, minute), tzinfo=house.zone_info).astimezone(UTC) + timedelta(
        seconds=second
    )


def _strays(house: House, seed: int, first: datetime, last: datetime, days: int, customers: int) -> Iterator[Act]:
    """Transfers under a name nobody knows, about one in six days; most are claimed a day later."""
    dice = _dice(seed, house.slug, "strays")
    names = ("HOUSE 4", "WIFI", "MAMA JANE", "INTERNET", "KASARANI", "BILL")
    for count in range(max(1, days // 6)):
        at = first + timedelta(days=1 + dice.random() * max(1, days - 2))
        amount = Decimal(dice.choice((450, 1000, 1500, 1500, 2500)))
        key = f"{house.slug}:stray:{count}"
        at = at.replace(microsecond=0)
        who = dice.randrange(customers)
        receipt = receipt_of(seed, key)
        yield Act(at, Kind.STRAY, -1, key, receipt, amount=amount, text=dice.choice(names))
        if dice.random() < 0.7 and at + timedelta(days=1) < last - timedelta(days=2):
            yield Act(at + timedelta(hours=20 + 8 * dice.random()), Kind.CLAIM, who, key, receipt)


def receipt_of(seed: int, key: str) -> str:
    """Ten letters and digits as M-Pesa gives them: the same for the same payment in every run."""
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    return "T" + "".join("ABCDEFGHJKLMNPQRSTUVWXYZ23456789"[byte % 32] for byte in digest[:9])


class _Life:
    """One customer from the day he joined: when he pays, how, and what goes wrong."""

    def __init__(self, house: House, seed: int, number: int, customer: Customer, last: datetime) -> None:
        self.house, self.seed, self.number, self.last = house, seed, number, last
        self.joined_at = customer.joined_at
        self.dice = _dice(seed, house.slug, number)
        self.offer: Offer = house.offers[customer.offer]
        self.period = Period(self.offer.unit, self.offer.count, house.zone_info)
        self.is_newcomer = number >= house.customers - NEWCOMERS
        self.habit = self.dice.choices(("punctual", "early", "late", "lapsing", "saver"), (52, 14, 22, 7, 5))[0]
        ways = (("push", 78), ("cash", 12), ("transfer", 10)) if house.takes_mpesa else (("cash", 100),)
        self.way = self.dice.choices([way for way, _ in ways], [share for _, share in ways])[0]

    def acts(self) -> Iterator[Act]:
        yield Act(self.joined_at, Kind.JOIN, self.number, self._key("join", 0))
        if self.is_newcomer:
            return
        anchor: datetime | None = None
        bought, expires_at = 0, None
        at = self.joined_at + timedelta(minutes=4 + int(20 * self.dice.random()), seconds=self.number % 60)
        count = 0
        while at <= self.last:
            periods = 3 if self.habit == "saver" and self.way == "push" else 1
            yield from self._pay(at, periods, count)
            anchor, bought, expires_at = extended(
                self.period, anchor=anchor, periods=bought, expires_at=expires_at, bought=periods, at=at
            )
            count += 1
            if count > 1 and self.dice.random() < 0.04:
                yield Act(expires_at + timedelta(days=6), Kind.LEAVE, self.number, self._key("leave", 0))
                return
            at = self._next(expires_at, count)
            late = at - expires_at
            if late > timedelta(days=1) and self.dice.random() < 0.15:
                yield Act(expires_at + timedelta(hours=9), Kind.HOLD, self.number, self._key("hold", count), late=late)

    def _next(self, expires_at: datetime, count: int) -> datetime:
        """When he pays next, moved to an hour at which people pay."""
        dice = self.dice
        is_short = self.offer.unit == "day" and self.offer.count < 15
        length = 0.25 if is_short else 1.0
        wanted = expires_at - timedelta(hours=1 + 20 * dice.random()) * length
        if self.habit == "early":
            wanted = expires_at - timedelta(days=1 + 4 * dice.random()) * length
        if self.habit == "late":
            wanted = expires_at + timedelta(hours=3 + 70 * dice.random()) * length
        if self.habit == "lapsing" and count % 2 == 0:
            wanted = expires_at + timedelta(days=8 + 16 * dice.random())
        if dice.random() < 0.05:
            wanted = expires_at + timedelta(days=1 + 3 * dice.random())
        hour, minute = dice.choice(_PAYING)
        return _local(self.house, wanted, hour, minute, second=self.number * 6 % 1800)

    def _pay(self, at: datetime, periods: int, count: int) -> Iterator[Act]:
        dice, key = self.dice, self._key("pay", count)
        way = self.way if count else ("push" if self.house.takes_mpesa else "cash")
        receipt = receipt_of(self.seed, key)
        if way == "cash":
            yield Act(at, Kind.CASH, self.number, key, amount=self.offer.price)
        elif way == "transfer":
            yield Act(at, Kind.TRANSFER, self.number, key, receipt, amount=self.offer.price)
        else:
            if dice.random() < 0.09:
                code = dice.choice(_FAILURES)
                yield Act(
                    at - timedelta(minutes=3), Kind.PUSH_FAILED, self.number, f"{key}:no", periods=periods, code=code
                )
            yield Act(at, Kind.PUSH, self.number, key, receipt, periods=periods)

    def _key(self, what: str, count: int) -> str:
        return f"{self.house.slug}:{self.number}:{what}:{count}"
