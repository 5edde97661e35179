"""The wall: who is behind it reaches the pay page and nothing else, whatever somebody does to its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ispbilling.kernel.crypto import Secret
from ispbilling.kernel.errors import Retryable, Unsupported
from network.convergence import WALLED_PROFILE
from network.drivers.base import Does, RouterDriver, Target, WallPlan
from network.drivers.mikrotik import MikroTik
from network.wall import garden_of, redirects_of, rules_of, wall_difference
from simulators.routeros import RouterFarm, SimRouter
from tests.network.conformance import until
from tests.network.other_routers import HABITS, OtherRouter
from tests.network.plain import Hand, Site
from tests.network.proxy import Wire

GARDEN = ("pay.example.org", "203.0.113.7", "checkout.example.com", "198.51.100.0/24")
PAGE = "203.0.113.7:8081"
FILTER, NAT, LISTS = "/ip/firewall/filter", "/ip/firewall/nat", "/ip/firewall/address-list"
THEIRS = [
    (FILTER, ["=chain=forward", "=action=fasttrack-connection", "=connection-state=established,related"]),
    (FILTER, ["=chain=forward", "=action=accept", "=comment=let all out"]),
    (FILTER, ["=chain=input", "=action=drop", "=protocol=udp", "=dst-port=53", "=comment=no open resolver"]),
    (NAT, ["=chain=srcnat", "=action=masquerade"]),
    (LISTS, ["=list=isp-garden", "=address=192.0.2.1", "=comment=our own pages"]),
]


@pytest.fixture(scope="module")
def farm() -> Iterator[RouterFarm]:
    farm = RouterFarm()
    farm.start()
    yield farm
    farm.stop()


@pytest.fixture
def router(farm: RouterFarm) -> Iterator[SimRouter]:
    router = farm.add("r", users={"billing": "billing-api"}, redial_s=0.05)
    for menu, row in THEIRS:
        router.by_hand(f"{menu}/add", *row)
    router.by_hand("/ppp/profile/add", "=name=isp-walled", f"=address-list={WALLED_PROFILE.wall_list}")
    router.secrets_add(1, name="walled{n}", profile="isp-walled")
    router.secrets_add(1, name="paid{n}")
    router.cpes_add(1, name="walled{n}")
    router.cpes_add(1, name="paid{n}")
    until(lambda: len(router.truth()) == 2)
    yield router
    farm.remove("r")


@pytest.fixture
def link(router: SimRouter) -> Iterator[RouterDriver]:
    with MikroTik.connect(Target("127.0.0.1", router.port, "billing", Secret("billing-api"))) as link:
        yield link


def stand(link: RouterDriver, page: str = PAGE, garden: tuple[str, ...] = GARDEN) -> WallPlan:
    """One run for the wall; returns what it wrote."""
    plan = wall_difference(
        garden=garden_of(garden),
        rules=rules_of(has_garden=bool(garden)),
        redirects=redirects_of(page),
        state=link.read_wall(),
    )
    assert link.apply_wall(plan).refused == {}
    return plan


def fall(link: RouterDriver) -> None:
    link.apply_wall(wall_difference(garden=[], rules=[], redirects=[], state=link.read_wall()))


def fates(router: SimRouter, name: str = "walled1") -> dict[str, str]:
    """What becomes of the packets that matter."""
    asked: dict[str, dict[str, Any]] = {
        "plain page": {"to": "93.184.216.34"},
        "secure page": {"to": "93.184.216.34", "port": 443},
        "quic": {"to": "93.184.216.34", "port": 443, "protocol": "udp"},
        "portal": {"to": "pay.example.org", "port": 443},
        "gateway": {"to": "198.51.100.9", "port": 443},
        "name": {"to": "8.8.8.8", "port": 53, "protocol": "udp"},
        "name from the router": {"to": "10.0.0.1", "port": 53, "protocol": "udp", "to_router": True},
    }
    found = {}
    for what, packet in asked.items():
        fate = router.fate(name, **packet)
        moved = f" at {fate['to']}:{fate['port']}" if fate["to"] != packet["to"] else ""
        found[what] = fate["outcome"] + moved
    return found


BEHIND = {
    "plain page": "accept at 203.0.113.7:8081",
    "secure page": "reject",
    "quic": "drop",
    "portal": "accept",
    "gateway": "accept",
    "name": "accept",
    "name from the router": "accept",
}
FREE = dict.fromkeys(BEHIND, "accept") | {"name from the router": "drop"}


def ours(router: SimRouter, menu: str = FILTER) -> list[str]:
    return [row["comment"] for row in router.rows(menu) if row.get("comment", "").startswith("isp:wall:")]


def theirs(router: SimRouter) -> list[dict[str, str]]:
    rows = [row for menu in (FILTER, NAT, LISTS) for row in router.rows(menu)]
    return [row for row in rows if not row.get("comment", "").startswith("isp:wall:") and row.get("dynamic") != "true"]


def test_behind_the_wall_is_the_pay_page_and_nothing_else(router: SimRouter, link: RouterDriver) -> None:
    assert fates(router) == FREE
    stand(link)
    assert fates(router) == BEHIND
    assert fates(router, "paid1") == FREE


def test_a_second_run_writes_nothing(router: SimRouter, link: RouterDriver) -> None:
    stand(link)
    router.journal_clear()
    assert not stand(link)
    assert router.journal() == []


def test_the_rows_of_others_stay_as_they_are(router: SimRouter, link: RouterDriver) -> None:
    before = theirs(router)
    stand(link)
    assert theirs(router) == before
    fall(link)
    assert theirs(router) == before
    assert ours(router) + ours(router, NAT) + ours(router, LISTS) == []
    assert fates(router) == FREE


@pytest.mark.parametrize("menu", [FILTER, NAT, LISTS])
@pytest.mark.parametrize("deed", ["remove", "disable", "narrow", "change", "repeat"])
def test_what_a_hand_did_to_a_row_is_undone(router: SimRouter, link: RouterDriver, menu: str, deed: str) -> None:
    stand(link)
    before = [{**row, ".id": ""} for row in router.rows(menu)]
    row = next(row for row in router.rows(menu) if row.get("comment", "").startswith("isp:wall:"))
    narrower = "=address=1.2.3.4" if menu == LISTS else "=src-address=1.2.3.4"
    deeds = {
        "remove": ["remove", f"=numbers={row['.id']}"],
        "disable": ["disable", f"=numbers={row['.id']}"],
        "narrow": ["set", f"=numbers={row['.id']}", narrower],
        "change": ["set", f"=numbers={row['.id']}", "=list=x" if menu == LISTS else "=action=passthrough"],
        "repeat": [
            "add",
            *(["=list=isp-garden", "=address=9.9.9.9"] if menu == LISTS else ["=chain=forward", "=action=accept"]),
            f"=comment={row['comment']}",
        ],
    }
    verb, *words = deeds[deed]
    router.by_hand(f"{menu}/{verb}", *words)
    assert stand(link)
    after = [{**row, ".id": ""} for row in router.rows(menu)]
    assert sorted(map(str, after)) == sorted(map(str, before))
    assert fates(router) == BEHIND
    assert not stand(link)


def test_a_rule_of_others_put_before_ours_comes_behind_them(router: SimRouter, link: RouterDriver) -> None:
    stand(link)
    first = router.rows(FILTER)[0][".id"]
    router.by_hand(f"{FILTER}/add", "=chain=forward", "=action=accept", "=comment=mine", f"=place-before={first}")
    assert fates(router)["secure page"] == "accept"
    stand(link)
    assert fates(router) == BEHIND
    assert "mine" in [row.get("comment") for row in router.rows(FILTER)]
    assert not stand(link)


def test_without_a_page_nothing_is_redirected(router: SimRouter, link: RouterDriver) -> None:
    stand(link)
    stand(link, page="")
    assert ours(router, NAT) == []
    assert fates(router) == {**BEHIND, "plain page": "reject"}
    assert not stand(link, page="")


def test_a_page_that_moved_is_followed(router: SimRouter, link: RouterDriver) -> None:
    stand(link)
    stand(link, page="203.0.113.7:9000")
    assert fates(router)["plain page"] == "accept at 203.0.113.7:9000"
    assert len(ours(router, NAT)) == 1


def test_a_destination_of_others_on_our_list_is_not_put_there_twice(router: SimRouter, link: RouterDriver) -> None:
    stand(link, garden=(*GARDEN, "192.0.2.1"))
    assert [row["comment"] for row in router.rows(LISTS) if row["address"] == "192.0.2.1"] == ["our own pages"]
    assert not stand(link, garden=(*GARDEN, "192.0.2.1"))


def test_what_was_cut_off_is_finished_and_the_old_wall_stands_meanwhile(router: SimRouter) -> None:
    site = Site("r", "127.0.0.1", router.port, "billing", "billing-api")
    wire = Wire(site)
    target = Target("127.0.0.1", wire.port, "billing", Secret("billing-api"))
    with MikroTik.connect(target) as link:
        stand(link)
    drop = next(row for row in router.rows(FILTER) if row.get("comment") == "isp:wall:drop")
    router.by_hand(f"{FILTER}/set", f"=numbers={drop['.id']}", "=log=yes", "=src-port=1-65535")
    wire.cut_at(f"{FILTER}/add", 4, is_heard=True)
    with MikroTik.connect(target) as link, pytest.raises(Retryable):
        stand(link)
    assert {**fates(router), "quic": "drop"} == BEHIND
    with MikroTik.connect(target) as link:
        stand(link)
        assert not stand(link)
    wire.close()
    assert fates(router) == BEHIND
    assert len(ours(router)) == len(rules_of(has_garden=True))


def test_a_router_that_will_not_take_a_rule_says_which(router: SimRouter, link: RouterDriver) -> None:
    router.fault_add("trap", at=f"{FILTER}/add", text="not permitted", times=None)
    plan = wall_difference(garden=[], rules=rules_of(has_garden=False), redirects=[], state=link.read_wall())
    assert link.apply_wall(plan).refused == {"isp:wall:dns-udp-router": "not permitted"}


@pytest.mark.parametrize("make", HABITS)
def test_at_routers_of_other_makes(make: str) -> None:
    other = OtherRouter(HABITS[make])
    hand = Hand(Site(make, "127.0.0.1", other.port, other.user, other.password))
    with MikroTik.connect(Target("127.0.0.1", other.port, other.user, Secret(other.password))) as link:
        if "/ip/firewall" not in HABITS[make].menus:
            with pytest.raises(Unsupported, match=r"router\.wall"):
                link.read_wall()
        else:
            hand.do(f"{FILTER}/add", "=chain=forward", "=action=accept", "=comment=mine")
            stand(link)
            rules = [row["action"] for row in hand.rows(FILTER)]
            assert rules == ["accept"] * 5 + ["reject", "drop", "accept"]
            assert len(hand.rows(LISTS)) == len(GARDEN)
            assert not stand(link)
            fall(link)
            assert [row["comment"] for row in hand.rows(FILTER)] == ["mine"]
        assert link.read().lines
    other.stop()


def test_destinations_are_written_once_in_one_form() -> None:
    assert [one.destination for one in garden_of(["Pay.Example.org.", " pay.example.org", "", "10.0.0.1"])] == [
        "10.0.0.1",
        "pay.example.org",
    ]
    assert {one.does for one in rules_of(has_garden=True)} == {Does.ALLOW, Does.REFUSE, Does.DROP}
