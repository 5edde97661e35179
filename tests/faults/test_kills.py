"""A process is killed at each failpoint, again and again. It is started again, and everything is right by itself.

In an ordinary run some failpoints have their turn, others every day; all of them, twenty rounds, with ``--thorough``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ispbilling.kernel.failpoints import FAILPOINTS
from tests.faults import turns
from tests.faults.house import House, until
from tests.faults.steps import STEPS, Step, reach
from tests.faults.turns import Choice

pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("faults")]
ROUNDS, TODAY = 20, 7


def chosen(everything: bool) -> Iterator[Choice]:
    """(failpoint's step, round)."""
    steps = STEPS if everything else turns.turn(STEPS, TODAY)
    kills = [(step, number) for number in range(1, ROUNDS + 1 if everything else 2) for step in steps]
    yield "kill", kills, [f"{step.failpoint}-{number}" for step, number in kills]


def test_every_failpoint_has_a_step_that_leads_there() -> None:
    assert {step.failpoint for step in STEPS} == FAILPOINTS


@pytest.mark.slow
def test_killed_at_each_failpoint_everything_is_right_in_the_end(house: House, kill: tuple[Step, int]) -> None:
    step, number = kill
    scenario = step.scenario(house, f"kill-{number}")
    scenario.set_up()
    step.ready(scenario)
    assert scenario.end() == []
    before = {name: house.pid(name) for name in house.programs}
    name, thread = reach(house, step, scenario, "kill")
    until(lambda: house.is_back(name, before[name]) and house.is_ready(), 60, f"{name} is back")
    thread.join(60)
    house.hands_of_the_dead(name)
    try:
        assert scenario.end(kills=1) == []
    finally:
        scenario.close()
