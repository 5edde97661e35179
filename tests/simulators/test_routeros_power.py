"""A simulated router restarts, refuses connections, loses what it had not flushed; a hand changes it meanwhile."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
import requests
import routeros_api

from simulators.control import ControlServer
from simulators.routeros import RouterFarm, SimRouter
from tests.simulators.raw import SET, Raw, column, until, values


def is_refused(router: SimRouter) -> bool:
    try:
        socket.create_connection(("127.0.0.1", router.port), timeout=10).close()
    except ConnectionRefusedError:
        return True
    return False


def uptime(router: SimRouter) -> str:
    with Raw(router) as raw:
        return values(raw.ask("/system/resource/print")[0])["uptime"]


def test_a_restart_loses_what_is_dynamic_and_keeps_the_configuration(router: SimRouter) -> None:
    router.by_hand("/ppp/profile/add", "=name=wall", "=address-list=walled", "=rate-limit=1M/2M")
    router.secrets_add(3, profile="wall")
    router.by_hand("/ip/firewall/address-list/add", "=list=kept", "=address=10.0.0.9")
    router.by_hand("/ip/firewall/address-list/add", "=list=timed", "=address=10.0.0.8", "=timeout=1d")
    for number in (1, 2, 3):
        router.subscriber_dial(f"user{number}", f"pw{number}")
    router.advance(7_200)
    assert uptime(router).startswith("2h")
    before = router.rows("/ppp/secret")
    with Raw(router) as raw:
        router.reboot()
        assert raw.is_closed()
    until(lambda: router.is_listening)
    assert router.truth() == []
    assert router.rows("/ppp/secret") == before
    assert column(router, "list", "/ip/firewall/address-list") == ["kept"]
    assert [name for name in column(router, "name", "/interface") if name.startswith("<")] == []
    assert router.rows("/queue/simple") == []
    assert not uptime(router).startswith("2h")


def test_ids_of_lost_rows_are_given_again(router: SimRouter) -> None:
    router.secrets_add(2)
    router.subscriber_dial("user1", "pw1")
    first = column(router, ".id", "/ppp/active")
    router.reboot()
    until(lambda: router.is_listening)
    router.subscriber_dial("user2", "pw2")
    assert column(router, ".id", "/ppp/active") == first


def test_a_restarting_router_is_away_for_a_time_and_then_dialled_again(router: SimRouter) -> None:
    router.secrets_add(20)
    assert router.cpes_add(20) == 20
    port = router.port
    router.reboot(away_s=0.3)
    assert is_refused(router)
    assert router.truth() == []
    until(lambda: router.is_listening)
    assert router.port == port
    until(lambda: len(router.truth()) == 20)


def test_a_router_whose_plug_was_pulled_does_not_restart(router: SimRouter) -> None:
    router.reboot(away_s=30)
    router.power(False)
    router.reboot()
    router.advance(1)
    assert not router.is_listening
    router.power(True)
    assert router.is_listening


def test_the_port_of_a_router_that_is_away_is_given_to_nobody(farm: RouterFarm, router: SimRouter) -> None:
    router.power(False)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", router.port))
    router.power(True)
    assert not is_refused(router)


@pytest.mark.parametrize(("when", "written"), [("before", 0), ("applying", 2), ("applied", 4)])
def test_a_command_makes_the_router_restart(router: SimRouter, when: str, written: int) -> None:
    router.secrets_add(4)
    fault = router.fault_add("reboot", at=SET, when=when)
    with Raw(router) as raw:
        raw.send(SET, "=numbers=user1,user2,user3,user4", "=disabled=yes")
        assert raw.is_closed()
    until(lambda: router.is_listening)
    assert (column(router, "disabled").count("true"), fault.fired) == (written, 1)
    assert router.journal()[-1]["items"] == written


def test_a_part_of_a_list_is_lost_again_by_the_restart(router: SimRouter) -> None:
    router.secrets_add(4)
    router.fault_add("reboot", at=SET, when="applying", items=3, lose_writes=1)
    with Raw(router) as raw:
        raw.send(SET, "=numbers=user1,user2,user3,user4", "=disabled=yes", "=comment=x")
        assert raw.is_closed()
    assert "true" not in column(router, "disabled")
    assert column(router, "comment") == [""] * 4
    assert [(entry["items"], entry["is_lost"]) for entry in router.journal()[-1:]] == [(3, True)]


LOSSES: dict[str, Callable[[SimRouter], Any]] = {
    "add": lambda router: router.by_hand("/ppp/secret/add", "=name=new"),
    "set": lambda router: router.by_hand(SET, "=numbers=user2", "=password=other", "=comment=c", "=profile=p"),
    "rename": lambda router: router.by_hand(SET, "=numbers=user2", "=name=somebody"),
    "disable": lambda router: router.by_hand("/ppp/secret/disable", "=numbers=user1,user3"),
    "unset": lambda router: router.by_hand("/ppp/secret/unset", "=numbers=user3", "=value-name=comment"),
    "remove": lambda router: router.by_hand("/ppp/secret/remove", "=numbers=user1,user2"),
    "profile renamed": lambda router: router.by_hand("/ppp/profile/set", "=numbers=p", "=name=q"),
    "profile removed": lambda router: router.by_hand("/ppp/profile/remove", "=numbers=p"),
    "list entry added": lambda router: router.by_hand("/ip/firewall/address-list/add", "=list=a", "=address=10.1.1.2"),
    "list entry changed": lambda router: router.by_hand(
        "/ip/firewall/address-list/set", "=numbers=*1", "=address=10.1.1.3"
    ),
    "list entry removed": lambda router: router.by_hand("/ip/firewall/address-list/remove", "=numbers=*1"),
    "rule moved": lambda router: router.by_hand("/ip/firewall/filter/move", "=numbers=*2", "=destination=*1"),
    "identity": lambda router: router.by_hand("/system/identity/set", "=name=other"),
}
PATHS = (
    "/ppp/secret", "/ppp/profile", "/ip/firewall/address-list", "/ip/firewall/filter", "/system/identity",
)  # fmt: skip


def everything(router: SimRouter) -> dict[str, Any]:
    found: dict[str, Any] = {path: router.rows(path) for path in PATHS}
    found["lists"] = [router.device.address_lists.lists_of(f"10.1.1.{last}") for last in (1, 2, 3)]
    return found


@pytest.fixture
def furnished(router: SimRouter) -> SimRouter:
    router.by_hand("/ppp/profile/add", "=name=p")
    router.secrets_add(3, comment="isp:{n}", profile="p")
    router.by_hand("/ip/firewall/address-list/add", "=list=a", "=address=10.1.1.1")
    for chain in ("input", "forward", "output"):
        router.by_hand("/ip/firewall/filter/add", f"=chain={chain}")
    router.reboot()
    until(lambda: router.is_listening)
    return router


@pytest.mark.parametrize("name", LOSSES)
def test_a_write_that_was_not_flushed_is_lost(furnished: SimRouter, name: str) -> None:
    before = everything(furnished)
    LOSSES[name](furnished)
    after = everything(furnished)
    assert after != before
    furnished.reboot()
    assert everything(furnished) == after
    LOSSES["add"](furnished) if name != "add" else furnished.by_hand("/ppp/secret/add", "=name=another")
    furnished.reboot(lose_writes=1)
    assert everything(furnished) == after


@pytest.mark.parametrize("name", LOSSES)
def test_a_lost_write_leaves_everything_as_it_was(furnished: SimRouter, name: str) -> None:
    before = everything(furnished)
    LOSSES[name](furnished)
    furnished.reboot(lose_writes=1)
    assert everything(furnished) == before


def test_all_writes_since_the_start_are_lost(furnished: SimRouter) -> None:
    before = everything(furnished)
    for name in ("add", "rename", "disable", "profile renamed", "list entry removed", "rule moved", "identity"):
        LOSSES[name](furnished)
    furnished.reboot(lose_writes=500)
    assert everything(furnished) == before
    assert sum(entry["is_lost"] for entry in furnished.journal()) == 7


def test_a_timed_entry_whose_removal_is_lost_is_gone_all_the_same(furnished: SimRouter) -> None:
    furnished.by_hand("/ip/firewall/address-list/add", "=list=a", "=address=10.1.1.2", "=timeout=1h")
    furnished.by_hand("/ip/firewall/address-list/remove", "=numbers=*2")
    furnished.reboot(lose_writes=1)
    assert column(furnished, "address", "/ip/firewall/address-list") == ["10.1.1.1"]
    assert everything(furnished)["lists"] == [["a"], [], []]


def test_a_port_closed_twice_opens_when_both_have_ended(router: SimRouter) -> None:
    with Raw(router) as raw:
        first, second = router.refuse(), router.refuse()
        router.faults_release(first)
        for _ in range(5):  # time enough for a port that would open
            raw.ask("/system/identity/print")
    assert is_refused(router)
    router.faults_release(second)
    assert not is_refused(router)


def test_a_closed_port_refuses_while_connections_that_stand_go_on(router: SimRouter) -> None:
    with Raw(router) as raw:
        fault = router.refuse()
        assert is_refused(router)
        assert raw.ask("/system/identity/print")[0][0] == "!re"
        router.faults_release(fault)
        assert not is_refused(router)
    router.fault_add("port_closed", at="/ppp/secret/print", for_s=0.2)
    with Raw(router) as raw:
        raw.ask("/ppp/secret/print")
        assert is_refused(router)
    until(lambda: router.is_listening)


def test_a_router_without_power_refuses_though_a_closed_port_opens(router: SimRouter) -> None:
    fault = router.refuse()
    router.power(False)
    router.fault_remove(fault)
    assert is_refused(router)
    router.power(True)
    assert not is_refused(router)


def test_a_hand_changes_rows_through_the_control_port(router: SimRouter, control: ControlServer) -> None:
    def by_hand(*words: str) -> requests.Response:
        return requests.post(f"{control.url}/command", json={"router": "r", "words": words}, timeout=10)

    added = by_hand("/ppp/secret/add", "=name=jane", "=password=x").json()["ret"]
    pool = routeros_api.RouterOsApiPool(
        "127.0.0.1", username="admin", password="pw", port=router.port, plaintext_login=True
    )
    secrets = pool.get_api().get_resource("/ppp/secret")

    def seen() -> list[tuple[str, str, str]]:
        return [(row["name"], row["disabled"], row["password"]) for row in secrets.get()]

    assert seen() == [("jane", "false", "x")]
    by_hand("/ppp/secret/set", f"=.id={added}", "=password=other")
    by_hand("/ppp/secret/disable", "=numbers=jane")
    assert seen() == [("jane", "true", "other")]
    by_hand("/ppp/secret/set", "=numbers=jane", "=name=joan")
    assert seen() == [("joan", "true", "other")]
    refused = by_hand("/ppp/secret/remove", "=numbers=jane")
    assert (refused.status_code, refused.json()) == (400, {"error": "no such item"})
    assert by_hand("/ppp/secret/remove", "=numbers=joan").status_code == 200
    assert seen() == []
    assert by_hand().status_code == 400
    pool.disconnect()


def test_a_hand_acts_between_reading_and_writing(router: SimRouter) -> None:
    router.secrets_add(3)
    router.fault_add(
        "by_hand", at="/ppp/secret/print", when="applied", sentence=["/ppp/secret/remove", "=numbers=user2"]
    )
    with Raw(router) as raw:
        seen = [values(one)["name"] for one in raw.ask("/ppp/secret/print")[:-1]]
        assert raw.ask(SET, "=numbers=user2", "=disabled=yes")[0][2] == "=message=no such item"
    assert (seen, column(router, "name")) == (["user1", "user2", "user3"], ["user1", "user3"])


def test_a_hand_takes_any_row_the_same_one_with_the_same_seed(farm: RouterFarm) -> None:
    found = []
    for name in ("a", "b"):
        router = farm.add(name, seed=7)
        router.secrets_add(50)
        for _ in range(5):
            router.fault_add("by_hand", at="now", sentence=["/ppp/secret/remove", "=numbers={any}"])
        found.append(column(router, "name"))
        farm.remove(name)
    assert len(found[0]) == 45
    assert found[0] == found[1]
