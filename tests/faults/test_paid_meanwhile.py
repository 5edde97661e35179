"""Paid while the router does not listen, or while Redis is down: the gateway is answered at once, the customer soon.

Both times are promises, so these tests look at the clock: the gateway's own for its callback, and the router's return.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection

from network.models import Router
from simulators.daraja import Daraja
from simulators.daraja.callbacks import Callbacks
from simulators.daraja.till import Push, Shop
from simulators.routeros import SimRouter
from tests.faults.house import House, until
from tests.faults.scenario import Scenario

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("faults")]

CALLBACK_S, PROVISIONED_S = 1.0, 30.0
FAILURES = 6  # contacts that fail before the router returns: its back-off would be a minute by then
WALKS_IN_VAIN_S = 60.0
GIVES_UP_S = 200.0


class TimedCallbacks(Callbacks):
    """Notes how long each callback waited for its answer, in seconds."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.took: list[float] = []

    def send(self, push: Push, body: bytes, times: int = 1) -> list[int]:
        began = time.monotonic()
        statuses = super().send(push, body, times)
        self.took.append(time.monotonic() - began)
        return statuses


class TimedDaraja(Daraja):
    def __init__(self) -> None:
        super().__init__(shops=[Shop()])
        self.callbacks: TimedCallbacks = TimedCallbacks(self, self.pushes)


Do = Callable[[SimRouter], Any]


def hang(at: str, **options: Any) -> Do:
    return lambda router: router.fault_add("hang", at=at, times=None, **options)


def trap(at: str, **options: Any) -> Do:
    return lambda router: router.fault_add("trap", at=at, times=None, **options)


#: What the router does from before the payment on; ``faults_clear`` and power end all of it.
ILL: dict[str, Do] = {
    "refuses": lambda router: router.refuse(),
    "is-off": lambda router: router.power(False),
    "hangs-at-connect": hang("connect"),
    "hangs-at-login": hang("/login", when="before"),
    "hangs-at-read": hang("/ppp/secret/print", when="before"),
    "hangs-in-the-answer": hang("/ppp/secret/print", when="answer"),
    "hangs-before-writing": hang("/ppp/secret/set", when="before"),
    "hangs-after-writing": hang("/ppp/secret/set", when="applied"),
    "hangs-before-hanging-up": hang("/ppp/active/remove", when="before"),
    "traps-reading": trap("/ppp/secret/print", when="before"),
    "traps-writing": trap("/ppp/secret/set", when="before"),
    "traps-after-writing": trap("/ppp/secret/set", when="applied"),
    "refuses-log-ins": lambda router: router.fault_add("login_refused", times=None),
    "reboots-at-each-write": lambda router: router.fault_add(
        "reboot", at="/ppp/secret/set", when="applied", away_s=0.5, lose_writes=1, times=None
    ),
}


@dataclass
class Times:
    """Seconds. ``callbacks``: until answered; ``provisioned``: from the router's return until online at full speed."""

    callbacks: list[float]
    provisioned: float


def stand(house: House, name: str) -> Scenario:
    scenario = Scenario(house, name, [], gateway_class=TimedDaraja)
    scenario.set_up()
    assert scenario.end() == []
    return scenario


def is_online(scenario: Scenario) -> bool:
    """Anna is, at her full speed."""
    name = scenario.lines["anna"].username
    online = [one for one in scenario.ends.routers["tower"].truth() if one["name"] == name]
    return [(one["rate_limit"], one["address_lists"]) for one in online] == [("5000k/10000k", [])]


def pay(scenario: Scenario, *, others: int = 0) -> list[float]:
    """Anna pays, after ``others`` who were not told of; how long her callback waited."""
    scenario.pay("anna")
    callbacks = scenario.ends.gateway.callbacks
    assert isinstance(callbacks, TimedCallbacks)
    until(lambda: callbacks.took, 30, "the callback is answered")
    assert [push.callback_statuses for push in scenario.ends.gateway.pushes.values()][others:] == [[200]]
    return callbacks.took


def until_back(scenario: Scenario) -> float:
    """Seconds until Anna is online, from now on."""
    began = time.monotonic()
    until(lambda: is_online(scenario), GIVES_UP_S, "online")
    return time.monotonic() - began


def ill(house: House, name: str) -> Times:
    scenario = stand(house, name)
    router = scenario.ends.routers["tower"]
    ILL[name](router)
    callbacks = pay(scenario)
    until(lambda: not scenario.is_unpaid("anna"), 30, "booked")
    deadline = time.monotonic() + WALKS_IN_VAIN_S
    while failures(scenario) < FAILURES and time.monotonic() < deadline:
        time.sleep(0.5)
        if failures(scenario) < FAILURES - 1:
            house.time_passes(scenario.tenant_id)
    assert not is_online(scenario) or "after-writing" in name  # there it was written, and nobody was told
    router.faults_clear()
    router.power(True)
    times = Times(callbacks, until_back(scenario))
    assert scenario.end() == []
    scenario.close()
    return times


def failures(scenario: Scenario) -> int:
    found: int = scenario.inside(lambda: Router.objects.get().failures)
    return found


@pytest.fixture(scope="module")
def times(standing_house: House, django_db_blocker: Any) -> Iterator[dict[str, Times | Exception]]:
    """All illnesses at once, each at a router of its own."""

    def one(name: str) -> Times | Exception:
        try:
            return ill(standing_house, name)
        except Exception as error:  # noqa: BLE001  shown by the test whose it is
            return error
        finally:
            connection.close()

    with standing_house.entered(django_db_blocker), ThreadPoolExecutor(len(ILL)) as pool:
        found = dict(zip(ILL, pool.map(one, ILL), strict=True))
    return found


@pytest.mark.parametrize("name", ILL)
def test_while_a_router_does_not_listen_the_gateway_is_answered_and_the_customer_soon_online(
    times: dict[str, Times | Exception], name: str
) -> None:
    found = times[name]
    if isinstance(found, Exception):
        raise found
    assert max(found.callbacks) <= CALLBACK_S
    assert found.provisioned <= PROVISIONED_S


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_while_redis_is_down_the_gateway_is_answered_and_the_customer_soon_online(house: House, how: str) -> None:
    scenario = stand(house, f"redis-{how}")
    with house.stopped("redis") if how == "stopped" else house.gone("redis"):
        callbacks = pay(scenario)
        time.sleep(5)
    provisioned = until_back(scenario)
    assert scenario.end() == []
    scenario.close()
    assert max(callbacks) <= CALLBACK_S
    assert provisioned <= PROVISIONED_S


def messages_hang(scenario: Scenario) -> None:
    """Message after message finds a provider that says nothing."""
    scenario.ends.texts.faults.arm("timeout_before", seconds=60.0)
    for number in range(9):
        scenario.ask_for_code(("anna", "ben", "cleo")[number % 3])
        time.sleep(1.1)


def questions_hang(scenario: Scenario) -> None:
    """Payments nobody told us about are asked for, again and again, and the gateway says nothing."""
    scenario.ends.gateway.faults.arm("timeout_before", on="query", seconds=60.0)
    for key in ("ben", "cleo"):
        scenario.ends.gateway.behaviours[f"25471200000{list(scenario.lines).index(key)}"] = ("lost_callback", 0.1)
        scenario.pay(key)
    for _ in range(9):
        scenario.house.time_passes(scenario.tenant_id)
        time.sleep(1.1)


@pytest.mark.parametrize("hangs", [messages_hang, questions_hang])
def test_while_others_let_our_workers_hang_a_payment_is_booked_and_its_customer_online(
    house: House, hangs: Callable[[Scenario], None]
) -> None:
    scenario = stand(house, hangs.__name__)
    hangs(scenario)
    callbacks = pay(scenario, others=len(scenario.ends.gateway.pushes))
    provisioned = until_back(scenario)
    scenario.become_well()
    assert max(callbacks) <= CALLBACK_S
    assert provisioned <= PROVISIONED_S
    assert scenario.end() == []
    scenario.close()
