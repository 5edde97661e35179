"""Many scenarios at once in one house, wave by wave, so that hundreds end in minutes."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.db import connection, transaction

from ispbilling.kernel import clock
from tests.faults.scenario import Scenario

TOGETHER = 20
WELL_BEFORE_S = 45.0  # within which a new scenario must stand before its faults begin
ACTS_S = 4.0


def run(scenarios: Sequence[Scenario]) -> dict[str, list[str]]:
    """Name → what was wrong in the end."""
    wrong: dict[str, list[str]] = {}
    for start in range(0, len(scenarios), TOGETHER):
        wrong |= _wave(scenarios[start : start + TOGETHER])
    return wrong


def _wave(scenarios: Sequence[Scenario]) -> dict[str, list[str]]:
    began = time.monotonic()
    wrong: dict[str, list[str]] = {}
    with ThreadPoolExecutor(len(scenarios)) as pool:

        def each(work: Callable[[Scenario], object]) -> None:
            list(pool.map(lambda one: _guarded(one, work), scenarios))

        each(lambda one: one.set_up())
        each(_stands)
        stood = time.monotonic()
        each(lambda one: one.arm())
        with transaction.atomic():
            clock.travel(timedelta(minutes=61))
        each(lambda one: one.act())
        time.sleep(ACTS_S)
        each(_once_more)
        acted = time.monotonic()
        each(lambda one: wrong.__setitem__(one.name, one.end()))
        each(lambda one: one.close())
    ended = time.monotonic()
    print(  # noqa: T201
        f"{len(scenarios)} scenarios: {stood - began:.0f} s set up, {acted - stood:.0f} s of faults,"
        f" {ended - acted:.0f} s until well"
    )
    return wrong


def _stands(one: Scenario) -> None:
    one.trouble += [f"before any fault: {text}" for text in one.end(within_s=WELL_BEFORE_S)]


def _once_more(one: Scenario) -> None:
    one.become_well()
    for key in ("anna", "cleo"):
        if one.is_unpaid(key):
            one.pay(key)


def _guarded(one: Scenario, work: Callable[[Scenario], object]) -> None:
    try:
        work(one)
    except Exception:  # noqa: BLE001  one scenario's trouble is its own
        one.trouble.append(traceback.format_exc(limit=4))
    finally:
        connection.close()
