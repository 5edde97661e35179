"""A process is killed at each failpoint, again and again. It is started again, and everything is right by itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ispbilling.kernel.failpoints import FAILPOINTS
from tests.faults.house import House, until
from tests.faults.scenario import Scenario
from tests.faults.steps import STEPS, Step, reach
from tests.faults.turns import Choice

pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("faults")]
ROUNDS = 20


def chosen(everything: bool) -> Iterator[Choice]:
    """Twenty rounds over all failpoints; in an ordinary run one."""
    rounds = list(range(1, ROUNDS + 1 if everything else 2))
    yield "kill_round", rounds, [f"round-{number}" for number in rounds]


def test_every_failpoint_has_a_step_that_leads_there() -> None:
    assert {step.failpoint for step in STEPS} == FAILPOINTS


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS, ids=[step.failpoint for step in STEPS])
def test_killed_at_each_failpoint_everything_is_right_in_the_end(house: House, step: Step, kill_round: int) -> None:
    scenario = Scenario(house, f"kill-{step.failpoint}-{kill_round}", [])
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
        assert not (Path(house.failpoints) / step.failpoint).exists()
        assert os.path.exists(f"/proc/{house.pid(name)}")
    finally:
        scenario.close()
