"""Faults of the far ends: each alone, and mixtures of three by seed. Afterwards everything is right, by itself.

In an ordinary run so many are played as make two waves, others every day; all of them with ``--thorough``. The quick
run has the mixtures alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults import turns, waves
from tests.faults.house import House
from tests.faults.kinds import TOGETHER, all_alone, mixture
from tests.faults.scenario import Scenario
from tests.faults.turns import Choice

pytestmark = [pytest.mark.timeout(3000), pytest.mark.xdist_group("faults")]

ALONE = all_alone()
SEEDS = range(1, 201)
TODAY_ALONE, TODAY_SEEDS = 12, 12


def chosen(everything: bool) -> Iterator[Choice]:
    """Every fault and two hundred seeds; in an ordinary run some of them."""
    alone, seeds = sorted(ALONE), list(SEEDS)
    if not everything:
        # A step that shares no factor with their number: neighbours of one kind are not played on the same day.
        scattered = [alone[(index * 101) % len(alone)] for index in range(len(alone))]
        alone, seeds = turns.turn(scattered, TODAY_ALONE), turns.turn(seeds, TODAY_SEEDS)
    yield "alone", alone, alone
    yield "together", sorted(TOGETHER), sorted(TOGETHER)
    yield "seed", seeds, [f"seed-{seed}" for seed in seeds]


def scenario_of(house: House, given: dict[str, Any]) -> Scenario:
    """By a test's parameters: ``alone``, ``together`` or ``seed``."""
    if "alone" in given:
        fault = ALONE[given["alone"]]
        with_statement = not fault.kind.startswith("query")
        return Scenario(house, given["alone"], [fault], reads_statement=with_statement, patience_s=30)
    if "together" in given:
        return Scenario(house, given["together"], TOGETHER[given["together"]], patience_s=30)
    seed = given["seed"]
    return Scenario(house, f"seed-{seed}", mixture(seed), seed=seed, suspension="blocked" if seed % 3 else "walled")


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest, standing_house: House, django_db_blocker: Any) -> Iterator[dict[str, Any]]:
    """Every scenario this run selected, played many at once: name → (scenario, what was wrong)."""
    given = [
        item.callspec.params
        for item in request.session.items
        if "played" in getattr(item, "fixturenames", ()) and hasattr(item, "callspec")
    ]
    with standing_house.entered(django_db_blocker):
        scenarios = [scenario_of(standing_house, one) for one in given]
        wrong = waves.run(scenarios)
    return {one.name: (one, wrong.get(one.name, one.trouble)) for one in scenarios}


def all_is_right(played: dict[str, Any], name: str) -> Scenario:
    scenario, wrong = played[name]
    assert wrong == [], "\n".join([f"{name}:", *map(str, scenario.faults), "left wrong:", *wrong])
    assert isinstance(scenario, Scenario)
    return scenario


@pytest.mark.slow
def test_after_each_fault_alone_everything_is_right(played: dict[str, Any], alone: str) -> None:
    scenario = all_is_right(played, alone)
    assert scenario.fired == [ALONE[alone].kind], "it never came true"


@pytest.mark.slow
def test_after_faults_that_make_each_other_worse_everything_is_right(played: dict[str, Any], together: str) -> None:
    scenario = all_is_right(played, together)
    assert scenario.fired == [fault.kind for fault in TOGETHER[together]], "not all came true"


def test_after_a_mixture_of_three_faults_everything_is_right(played: dict[str, Any], seed: int) -> None:
    all_is_right(played, f"seed-{seed}")
