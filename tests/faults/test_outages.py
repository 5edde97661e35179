"""Redis or PostgreSQL is killed, or stopped where it stands, while a process is at each step of the chain.

In an ordinary run each outage comes at one step, another every day; at all of them with ``--thorough``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from tests.faults import turns
from tests.faults.house import House
from tests.faults.scenario import Scenario
from tests.faults.steps import STEPS, Step, reach
from tests.faults.turns import Choice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.xdist_group("faults")]

#: Seconds without the server, and how long after its loss the process goes on from where it stood.
AWAY_S, GOES_ON_S = 12.0, 2.0
OUTAGES = [(server, how) for server in ("redis", "postgres") for how in ("killed", "stopped")]
ALL = [[(server, how, step) for step in STEPS] for server, how in OUTAGES]


def chosen(everything: bool) -> Iterator[Choice]:
    """Every outage at every step; in an ordinary run each outage at one step."""
    played = [one for group in ALL for one in group] if everything else turns.one_of_each(ALL)
    yield "outage_at", played, [named(*one) for one in played]


def outage(house: House, server: str, how: str) -> AbstractContextManager[None]:
    return house.gone(server) if how == "killed" else house.stopped(server)


def named(server: str, how: str, step: Step) -> str:
    return f"{server}-{how}-{step.failpoint}"


@pytest.fixture
def scenario(house: House, outage_at: tuple[str, str, Step]) -> Iterator[Scenario]:
    server, how, step = outage_at
    made = step.scenario(house, f"{server}-{how}")
    made.set_up()
    yield made
    made.close()


def test_after_an_outage_in_the_middle_everything_is_right(
    house: House, scenario: Scenario, outage_at: tuple[str, str, Step]
) -> None:
    server, how, step = outage_at
    step.ready(scenario)
    assert scenario.end() == []
    before = {name: house.pid(name) for name in house.programs}
    _, thread = reach(house, step, scenario, "wait")
    with outage(house, server, how):
        time.sleep(GOES_ON_S)
        house.disarm(step.failpoint)
        time.sleep(AWAY_S - GOES_ON_S)
    thread.join(90)
    house.hands_of_those_who_gave_up(scenario.tenant_id)
    assert scenario.end(kills=1) == []
    assert {name: house.pid(name) for name in house.programs} == before, "a program did not outlive the outage"
