"""The power-cut drill: everything dies at once at a random instant of a busy minute, and comes back with a wrong clock.

``bin/drill [--rounds N] [--seed S]``. Each round: a few providers whose customers pay, run out and are cut at the same
time; at an instant drawn by the seed every process of the installation is killed, PostgreSQL and Redis with it, and the
routers lose power too, with the last thing they wrote. The machine starts again with its clock two years back. What
calls back then is taken, nothing is booked and nobody is cut. Then the clock is right, nobody does anything, and
everything must become right: the book, each receipt once, states, routers, messages (``far.books_are_right``).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from random import Random
from typing import Any

import requests
from django.db import connection, transaction
from django.test import override_settings

from billing.models import Receipt, Subscription
from ispbilling.kernel import clock
from ispbilling.kernel.models import Event
from tests.faults.house import House, until
from tests.faults.scenario import Scenario

PROVIDERS, BUSY_S = 4, 60.0
TWO_YEARS = timedelta(days=730)
WRONG_CLOCK_S = 8.0
RIGHT_WITHIN_S = 240.0


class _NoBlocker:
    """Outside pytest nobody blocks the database."""

    unblock = staticmethod(nullcontext)


class Drill:
    def __init__(self, house: House, seed: int) -> None:
        self.house = house
        self.random = Random(seed)
        self.boot = seed
        self.providers = [
            Scenario(house, f"drill-{seed}-{number}", [], seed=number, suspension=("walled", "blocked")[number % 2])
            for number in range(PROVIDERS)
        ]

    def round(self, *, at_s: float | None = None) -> list[str]:
        """What is wrong in the end; ``at_s``: when the power goes, else drawn."""
        self._each(lambda one: one.set_up())
        wrong = self._ends(within_s=90)
        if wrong:
            return [f"before the cut: {text}" for text in wrong]
        at_s = self.random.uniform(4, BUSY_S) if at_s is None else at_s
        self._busy_until(time.monotonic() + at_s)
        self.house.power_cut()
        for one in self.providers:
            for router in one.ends.routers.values():
                router.fault_add("reboot", at="now", away_s=2.0, lose_writes=1)
        wrong = self._with_a_wrong_clock()
        self.house.clock_is_off(timedelta(0))
        until(self.house.is_ready, 120, "the house after the cut")
        # The machine's time in which the messages that were being sent are given up as unknown.
        self.house.hands_of_the_dead("outside")
        wrong += self._ends(within_s=RIGHT_WITHIN_S, kills=PROVIDERS)
        print(f"cut after {at_s:.1f} s: {'; '.join(wrong) or 'everything is right'}", flush=True)  # noqa: T201
        self._each(lambda one: one.close())
        return wrong

    def _busy_until(self, end: float) -> None:
        """Customers pay, hours run out and are cut, again and again."""
        while time.monotonic() < end:
            self._each(lambda one: one.pay("anna"))
            with transaction.atomic():
                clock.travel(timedelta(minutes=61))
            self._each(lambda one: one.pay("cleo"))
            self._each(lambda one: one.pay_cash("ben", "100"))
            time.sleep(min(self.random.uniform(0.2, 2), max(end - time.monotonic(), 0)))

    def _with_a_wrong_clock(self) -> list[str]:
        """The machine wakes up two years ago: what arrives is kept, nothing is booked, nobody is cut."""
        self.house.clock_is_off(-TWO_YEARS)
        self.house.booted_as(f"boot-{self.boot}")
        connection.close()
        self.house.power_back()
        until(self.house.is_ready, 120, "the house with a wrong clock")
        before = self._figures()
        for one in self.providers:
            for push in list(one.ends.gateway.pushes.values()):
                one.ends.gateway.end(push, "approve")
        time.sleep(WRONG_CLOCK_S)
        after = self._figures()
        wrong = [] if before == after else [f"with a clock two years back {before} became {after}"]
        if requests.get(f"{self.house.url}/readyz", timeout=10).status_code != 200:
            wrong.append("not ready while the clock is wrong")
        with self._sight() as server:
            tried = server.execute("SELECT count(*) FROM kernel_event WHERE state = 'pending' AND attempts > 5")
            if (tried.fetchone() or (0,))[0]:
                wrong.append("events count the wrong clock as their own failure")
        return wrong

    def _figures(self) -> dict[str, int]:
        """Over all tenants: receipts, done events, cut subscriptions."""
        tables = {
            "receipts": f"SELECT count(*) FROM {Receipt._meta.db_table}",
            "cut": f"SELECT count(*) FROM {Subscription._meta.db_table} WHERE state = 'suspended'",
            "handled": f"SELECT count(*) FROM {Event._meta.db_table} WHERE state = 'done'",
        }
        with self._sight() as server:
            return {name: int((server.execute(text).fetchone() or (0,))[0]) for name, text in tables.items()}

    def _sight(self) -> Any:
        return self.house.admin()

    def _ends(self, *, within_s: float, kills: int = 0) -> list[str]:
        found: list[str] = []
        self._each(lambda one: found.extend(f"{one.name}: {text}" for text in one.end(kills=kills, within_s=within_s)))
        return found

    def _each(self, work: Callable[[Scenario], object]) -> None:
        def run(one: Scenario) -> None:
            try:
                work(one)
            finally:
                connection.close()

        with ThreadPoolExecutor(len(self.providers)) as pool:
            list(pool.map(run, self.providers))


def drill(*, seeds: Sequence[int], blocker: Any, at_s: float | None = None) -> list[str]:
    """Rounds in a house of their own. What was wrong."""
    house = House()
    house.start()
    try:
        with house.entered(blocker), override_settings(FAILPOINTS_DIR=str(house.failpoints)):
            return [text for seed in seeds for text in Drill(house, seed).round(at_s=at_s)]
    finally:
        house.stop()


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/drill", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    given = parser.parse_args(arguments)
    print(f"--seed {given.seed}", flush=True)  # noqa: T201
    seeds = range(given.seed, given.seed + given.rounds)
    return int(bool(drill(seeds=seeds, blocker=_NoBlocker)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
