"""Faults of the far ends: each alone, and mixtures of three by seed. Afterwards everything is right, by itself."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from simulators.africastalking.faults import FAULTS as TEXT_FAULTS
from simulators.daraja.faults import FAULTS as GATEWAY_FAULTS
from simulators.routeros.faults import KINDS
from tests.faults import turns, waves
from tests.faults.house import House
from tests.faults.scenario import Drawn, Scenario, draw
from tests.faults.turns import Choice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.xdist_group("faults")]

TABLES: dict[str, Any] = {"daraja": GATEWAY_FAULTS, "sms": TEXT_FAULTS, "routeros": KINDS}
SEEDS = range(1, 201)
KINDS_ALL = [(where, name) for where, table in TABLES.items() for name in sorted(table)]
TODAY_KINDS, TODAY_SEEDS = 8, 12  # together one wave: half a minute


def chosen(everything: bool) -> Iterator[Choice]:
    """Every kind and two hundred seeds; in an ordinary run as many as make one wave."""
    kinds = [f"{where}-{name}" for where, name in KINDS_ALL]
    seeds = [f"seed-{seed}" for seed in SEEDS]
    if not everything:
        kinds, seeds = turns.turn(kinds, TODAY_KINDS), turns.turn(seeds, TODAY_SEEDS)
    yield "kind", kinds, kinds
    yield "seed", seeds, seeds


def alone(where: str, name: str) -> list[Drawn]:
    """One kind with drawn options, always the same ones; a fault of the wire at any call."""
    random = Random(f"{where} {name}")
    if where == "routeros":
        return [Drawn(where, {"kind": name, **KINDS[name].draw(random)})]
    return [Drawn(where, {"name": name, "times": 2, "chance": 1.0, **TABLES[where][name].draw(random)})]


def mixture(seed: int) -> list[Drawn]:
    random = Random(seed)
    return [draw(random, TABLES[where], where) for where in (random.choice(sorted(TABLES)) for _ in range(3))]


def scenario_of(house: House, name: str) -> Scenario:
    """By the name of a parameter: ``seed-7`` or ``daraja-callback_twice``."""
    where, _, rest = name.partition("-")
    seed = int(rest) if where == "seed" else 0
    faults = mixture(seed) if where == "seed" else alone(where, rest)
    suspension = "blocked" if seed % 3 == 1 else "walled"
    return Scenario(house, name, faults, seed=seed, suspension=suspension)


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, standing_house: House, django_db_blocker: Any) -> Iterator[dict[str, Any]]:
    """Every scenario this run selected, played many at once: name → (its faults, what was wrong)."""
    names = [
        name
        for item in request.session.items
        if "outcomes" in getattr(item, "fixturenames", ()) and hasattr(item, "callspec")
        for name in item.callspec.params.values()
    ]
    with standing_house.entered(django_db_blocker):
        scenarios = [scenario_of(standing_house, name) for name in names]
        wrong = waves.run(scenarios)
    yield {one.name: (one.faults, wrong.get(one.name, one.trouble)) for one in scenarios}


def all_is_right(outcomes: dict[str, Any], name: str) -> None:
    faults, wrong = outcomes[name]
    told = "\n".join([f"{name}:", *map(str, faults), "left wrong:", *wrong])
    assert wrong == [], told


def test_after_each_fault_alone_everything_is_right(outcomes: dict[str, Any], kind: str) -> None:
    all_is_right(outcomes, kind)


def test_after_a_mixture_of_three_faults_everything_is_right(outcomes: dict[str, Any], seed: str) -> None:
    all_is_right(outcomes, seed)
