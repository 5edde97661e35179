"""MikroTik: the suite at every kind of router the simulator can be, and habits of the driver's own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from ispbilling.kernel.crypto import Secret
from ispbilling.kernel.errors import Refused, Retryable
from network.drivers.base import Plan, Target
from network.drivers.mikrotik import MikroTik
from simulators.routeros import RouterFarm, SimRouter
from tests.network.conformance import FAST, DriverConformance, name_of, until, wanted
from tests.network.plain import Site

KINDS: dict[str, dict[str, Any]] = {
    "7.16": {"version": "7.16.1 (stable)"},
    "7.18": {"version": "7.18 (stable)"},  # says !empty
    "6.40": {"version": "6.40.9 (stable)", "login": "old"},
}


class Subscribers:
    """People at a simulated router."""

    def __init__(self, router: SimRouter) -> None:
        self.router = router
        self.names: set[str] = set()

    def dial(self, name: str, password: str, mac: str) -> None:
        self.names.add(name)
        self.router.cpe_add(name, password, mac)

    def online(self) -> list[dict[str, Any]]:
        return self.router.truth()

    def refused(self, name: str) -> int:
        return self.router.sessions.cpes[name].refusals

    def let_pass(self, seconds: float) -> None:
        self.router.advance(seconds)

    def hang_up_all(self) -> None:
        for name in self.names:
            self.router.cpe_remove(name)


@pytest.fixture(scope="module")
def farm() -> Iterator[RouterFarm]:
    farm = RouterFarm()
    farm.start()
    yield farm
    farm.stop()


@pytest.fixture
def router(farm: RouterFarm, kind: str) -> Iterator[SimRouter]:
    router = farm.add("r", has_tls=True, users={"billing": "billing-api"}, redial_s=0.05, **KINDS[kind])
    yield router
    router.power(False)
    del farm.routers["r"]


@pytest.fixture
def kind() -> str:
    return "7.16"


@pytest.fixture
def site(router: SimRouter) -> Site:
    return Site("simulator", "127.0.0.1", router.port, "billing", "billing-api", subscribers=Subscribers(router))


@pytest.fixture
def target(router: SimRouter) -> Target:
    return Target("127.0.0.1", router.port, "billing", Secret("billing-api"), answer_timeout_s=10)


@pytest.mark.parametrize("kind", KINDS)
class TestMikroTik(DriverConformance):
    driver = MikroTik


def test_tls_shows_its_fingerprint(router: SimRouter, target: Target) -> None:
    with MikroTik.connect(replace(target, port=router.tls_port, use_tls=True)) as link:
        assert link.fingerprint == router.fingerprint


def test_a_pinned_certificate_is_let_in(router: SimRouter, target: Target) -> None:
    pinned = replace(target, port=router.tls_port, use_tls=True, tls_fingerprint=router.fingerprint.upper())
    with MikroTik.connect(pinned) as link:
        assert link.describe().identity == "r"


def test_another_certificate_is_not_told_the_password(router: SimRouter, target: Target) -> None:
    with pytest.raises(Refused, match=r"router\.certificate"):
        MikroTik.connect(replace(target, port=router.tls_port, use_tls=True, tls_fingerprint="0" * 64))


def test_a_new_profile_gives_addresses_as_the_default_one_does(router: SimRouter, target: Target) -> None:
    router.by_hand("/ip/pool/add", "=name=homes", "=ranges=10.9.0.2-10.9.0.200")
    router.by_hand("/ppp/profile/set", "=numbers=default", "=local-address=10.9.0.1", "=remote-address=homes")
    with MikroTik.connect(target) as link:
        TestMikroTik().converge(link, [wanted(1)])
    row = next(row for row in router.rows("/ppp/profile") if row["name"] == FAST.name)
    assert (row["local-address"], row["remote-address"]) == ("10.9.0.1", "homes")


def test_the_password_is_never_logged(target: Target, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with MikroTik.connect(target) as link:
        TestMikroTik().converge(link, [wanted(1)])
    assert "billing-api" not in caplog.text
    assert "pw1" not in caplog.text


def test_a_router_that_trickles_at_the_log_in_is_given_up(router: SimRouter, target: Target) -> None:
    router.fault_add("slow", at="connect", bytes_per_s=4)
    with pytest.raises(Retryable, match=r"router\.away"):
        MikroTik.connect(replace(target, connect_timeout_s=2, login_timeout_s=0.5))


def test_a_router_that_lets_nobody_in_now_has_not_refused_the_password(router: SimRouter, target: Target) -> None:
    router.fault_add("session_limit", limit=0)
    with pytest.raises(Retryable, match=r"router\.away"):
        MikroTik.connect(target)


def test_a_session_the_router_will_not_end_is_told(router: SimRouter, target: Target) -> None:
    router.cpe_add(name_of(1), "pw1", "AA:BB:CC:00:00:01")
    with MikroTik.connect(target) as link:
        TestMikroTik().converge(link, [wanted(1)])
        until(router.truth)
        router.fault_add("trap", at="/ppp/active/remove", text="action timed out", times=None)
        assert link.apply(Plan(disconnect=(name_of(1),))).refused == {name_of(1): "action timed out"}


@pytest.mark.parametrize(
    ("answer", "text", "error"),
    [
        ("trap", "invalid user name or password (6)", r"router\.login"),
        ("trap", "cannot log in", r"router\.login"),
        ("trap", "too many log-ins, try again later", r"router\.away"),
        ("fatal", "login failure", r"router\.login"),
        ("fatal", "maximum number of sessions reached", r"router\.away"),
        ("close", "", r"router\.away.*password is wrong"),
    ],
)
def test_what_a_router_says_at_the_door_is_understood(
    router: SimRouter, target: Target, answer: str, text: str, error: str
) -> None:
    router.fault_add("session_limit", limit=0, answer=answer, text=text)
    with pytest.raises((Refused, Retryable), match=error):
        MikroTik.connect(target)


def test_a_menu_that_is_not_told_is_no_empty_menu(router: SimRouter, target: Target) -> None:
    with MikroTik.connect(target) as link:
        TestMikroTik().converge(link, [wanted(1)])
        router.fault_add("trap", at="/ppp/secret/print", text="not permitted", times=None)
        with pytest.raises(Retryable, match=r"does not tell /ppp/secret/print: not permitted"):
            link.read()


@pytest.mark.parametrize("menu", ["/ppp/profile", "/ppp/secret", "/ppp/active"])
def test_an_answer_that_comes_without_its_tag_is_asked_for_again(router: SimRouter, target: Target, menu: str) -> None:
    router.cpe_add(name_of(1), "pw1", "AA:BB:CC:00:00:01")
    with MikroTik.connect(target) as link:
        TestMikroTik().converge(link, [wanted(1)])
        until(router.truth)
        before = link.read()
        router.fault_add("garbage", at=f"{menu}/print", what="no_tag", rows=0)
        after = link.read()
        assert (after.lines, after.profiles, len(after.sessions)) == (before.lines, before.profiles, 1)


def test_rows_told_twice_are_read_once(router: SimRouter, target: Target) -> None:
    router.cpe_add(name_of(1), "pw1", "AA:BB:CC:00:00:01")
    with MikroTik.connect(target) as link:
        TestMikroTik().converge(link, [wanted(1)])
        until(router.truth)
        router.fault_add("garbage", at="/ppp/active/print", what="duplicate", times=None)
        assert len(link.read().sessions) == len(link.sessions()) == 1
