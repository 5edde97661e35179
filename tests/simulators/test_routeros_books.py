"""What a simulated router remembers for the tests, how it takes its time, and many subscribers at once."""

from __future__ import annotations

import random
import threading
import time
from datetime import UTC, datetime
from typing import Any

import librouteros
import pytest
import requests

from simulators.control import ControlServer
from simulators.routeros import RouterFarm, SimRouter
from simulators.routeros.faults import KINDS, mixture, read
from tests.simulators.raw import PRINT, SET, OutOfStep, Raw, column, until, values


def ask(control: ControlServer, command: str, /, **body: Any) -> dict[str, Any]:
    answer = requests.post(f"{control.url}/{command}", json=body, timeout=30)
    found: dict[str, Any] = answer.json()
    assert answer.status_code == 200, found
    return found


def refusal(control: ControlServer, command: str, /, **body: Any) -> str:
    answer = requests.post(f"{control.url}/{command}", json=body, timeout=30)
    assert answer.status_code == 400, answer.text
    return str(answer.json()["error"])


# --- journals -----------------------------------------------------------------------------------------------------


def test_every_write_is_in_the_journal_with_its_instants_and_its_connection(router: SimRouter) -> None:
    began, began_s = datetime.now(UTC), time.monotonic()
    router.secrets_add(3)
    with Raw(router, user="billing") as raw:
        raw.ask(PRINT)
        raw.ask(SET, "=numbers=user1,user2,nobody,user3", "=disabled=yes", ".tag=7")
        raw.ask("/ppp/secret/add", "=name=new")
    by_hand, refused, added = router.journal()[2:]
    assert (by_hand["by"], by_hand["connection"], by_hand["items"]) == ("hand", None, 1)
    assert (refused["by"], refused["user"], refused["connection"]) == ("api", "billing", 1)
    assert (refused["command"], refused["words"]) == (SET, ["=numbers=user1,user2,nobody,user3", "=disabled=yes"])
    assert (refused["wanted"], refused["items"], refused["is_applied"]) == (4, 2, False)
    assert refused["trap"] == "no such item"
    assert (added["command"], added["is_applied"], added["trap"]) == ("/ppp/secret/add", True, None)
    instants = [datetime.fromisoformat(entry["at"]) for entry in router.journal()]
    seconds = [entry["monotonic_s"] for entry in router.journal()]
    assert instants == sorted(instants)
    assert began <= instants[0] <= instants[-1] <= datetime.now(UTC)
    assert seconds == sorted(seconds)
    assert began_s <= seconds[0] <= added["ended_s"] <= time.monotonic()
    assert instants[0].utcoffset() == UTC.utcoffset(None)


def test_the_instants_do_not_travel_with_the_routers_clock(router: SimRouter) -> None:
    router.advance(86_400)
    router.secrets_add(1)
    assert (datetime.now(UTC) - datetime.fromisoformat(router.journal()[0]["at"])).total_seconds() < 3_600


def test_connections_are_noted_from_opening_to_their_end(router: SimRouter, control: ControlServer) -> None:
    with Raw(router):
        with Raw(router, user="billing"), Raw(router, log_in=False):
            pass
        until(lambda: sum(entry["end"] == "peer" for entry in router.connections_journal()) == 2)
        with Raw(router, user="billing") as quitting:
            assert quitting.ask("/quit")[0][0] == "!fatal"
        found = ask(control, "connections", router="r")
    ends = [(entry["user"], entry["end"]) for entry in found["connections"]]
    assert ends == [("admin", ""), ("billing", "peer"), ("", "peer"), ("billing", "quit")]
    first, second = found["connections"][:2]
    assert first["closed_at"] is None
    assert second["opened_at"] <= second["logged_in_at"] <= second["closed_at"]
    assert found["max_open_logins"] == {"admin": 1, "billing": 1}
    assert found["max_open_logins_together"] == 2
    until(lambda: router.connections_journal()[0]["closed_at"])
    ask(control, "connections_clear", router="r")
    assert router.connections_journal() == []


@pytest.mark.parametrize("tls", [False, True])
def test_log_ins_one_after_the_other_are_never_two_at_once(router: SimRouter, tls: bool) -> None:
    for _ in range(40):
        Raw(router, tls=tls).socket.close()
    for _ in range(20):
        Raw(router, tls=tls).reset()
    assert router.max_open_logins("admin") == 1
    with Raw(router), Raw(router), Raw(router, user="billing"):
        pass
    assert [router.max_open_logins(user) for user in ("admin", "billing", "nobody", None)] == [2, 1, 0, 3]


def test_a_second_log_in_of_a_connection_is_no_second_connection(router: SimRouter) -> None:
    with Raw(router) as raw:
        first = router.connections_journal()[0]
        raw.ask("/login", "=name=billing", "=password=pw")
        raw.ask("/ppp/secret/add", "=name=jane")
        [entry] = router.connections_journal()
    assert (entry["user"], entry["logged_in_s"]) == ("admin", first["logged_in_s"])
    assert router.journal()[0]["user"] == "billing"
    assert router.max_open_logins() == 1


def test_the_end_of_a_client_is_noted_while_its_command_hangs(router: SimRouter) -> None:
    router.fault_add("hang", at=PRINT)
    with Raw(router) as raw:
        raw.send(PRINT)
    with Raw(router):
        pass
    assert router.max_open_logins() == 1


def test_what_a_client_sent_before_it_went_is_carried_out(router: SimRouter) -> None:
    router.set(latency_ms=20, service_ms_per_item=2)
    router.secrets_add(20)
    with Raw(router) as raw:
        names = ",".join(f"user{n}" for n in range(1, 21))
        raw.send_together([(SET, f"=numbers={names}", "=disabled=yes"), (SET, "=numbers=user1", "=comment=last")])
    until(lambda: column(router, "comment")[0] == "last")
    assert column(router, "disabled") == ["true"] * 20


# --- time ---------------------------------------------------------------------------------------------------------


def delays(farm: RouterFarm, seed: int) -> list[float]:
    router = farm.add("jittery", users={"admin": "pw"}, latency_ms=1, jitter_ms=3, seed=seed)
    router.secrets_add(1)
    with Raw(router) as raw:
        for number in range(20):
            raw.ask(SET, "=numbers=user1", f"=comment={number}")
    found = [entry["delay_ms"] for entry in router.journal() if entry["by"] == "api"]
    farm.remove("jittery")
    return found


def test_jitter_repeats_with_the_seed(farm: RouterFarm) -> None:
    first = delays(farm, 1)
    assert first == delays(farm, 1)
    assert first != delays(farm, 2)
    assert all(1 <= delay <= 4 for delay in first)
    assert len(set(first)) == 20


def test_jitter_does_not_reorder_a_connection(router: SimRouter) -> None:
    router.set(jitter_ms=5)
    router.secrets_add(1)
    with Raw(router) as raw:
        raw.send_together((SET, "=numbers=user1", f"=comment={number}", f".tag={number}") for number in range(60))
        answers = [raw.answer() for _ in range(60)]
    assert [answer[0][-1] for answer in answers] == [f".tag={number}" for number in range(60)]
    written = [entry["words"][1] for entry in router.journal() if entry["by"] == "api"]
    assert written == [f"=comment={number}" for number in range(60)]


def test_the_time_of_items_is_spent_one_after_the_other_over_all_connections(router: SimRouter) -> None:
    router.secrets_add(40)
    router.journal_clear()
    router.set(service_ms_per_item=4)

    def change(start: int) -> None:
        with Raw(router) as raw:
            for first in (start, start + 5):
                names = ",".join(f"user{n}" for n in range(first, first + 5))
                raw.send(SET, f"=numbers={names}", "=disabled=yes", f".tag={first}")
            raw.answer()
            raw.answer()

    threads = [threading.Thread(target=change, args=(start,)) for start in (1, 11, 21, 31)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    entries = router.journal()
    spent_s = max(entry["ended_s"] for entry in entries) - min(entry["monotonic_s"] for entry in entries)
    assert [entry["items"] for entry in entries] == [5] * 8
    # The last two milliseconds may still be owed; side by side it would be an eighth of this.
    assert spent_s >= 40 * 0.004 - 0.03


@pytest.mark.parametrize("changes", [{"jitter_ms": -1}, {"latency_ms": "1"}, {"seed": 1.5}, {"jitter": 1}])
def test_a_setting_that_cannot_be_changes_nothing(router: SimRouter, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        router.set(redial_s=9, **changes)
    assert router.device.settings.redial_s == 0.05


# --- many subscribers ---------------------------------------------------------------------------------------------


def test_a_thousand_subscribers_come_online_at_once(router: SimRouter, control: ControlServer) -> None:
    router.by_hand("/ip/pool/add", "=name=homes", "=ranges=10.9.0.2-10.9.7.254")
    router.by_hand("/ppp/profile/set", "=numbers=default", "=remote-address=homes")
    pattern = {"name": "c{n:04}", "password": "pw-{n}"}
    assert ask(control, "secrets_add", router="r", count=1_000, comment="isp:{n}", **pattern) == {"added": 1_000}
    assert ask(control, "cpes_add", router="r", count=1_000, **pattern) == {"online": 1_000}
    online = ask(control, "truth", router="r")["online"]
    assert len({one["address"] for one in online}) == len({one["mac"] for one in online}) == 1_000
    assert ask(control, "online", router="r")["names"] == [f"c{n:04}" for n in range(1, 1_001)]
    api = librouteros.connect("127.0.0.1", "admin", "pw", port=router.port, encoding="utf-8")
    assert len(tuple(api("/ppp/active/print"))) == 1_000
    [last] = api.rawCmd(PRINT, "?name=c1000")
    assert (last["comment"], last["password"]) == ("isp:1000", "pw-1000")
    assert router.cpes_add(2, name="stranger{n}", autodial=True) == 0


def test_an_address_is_given_again_when_it_is_free(router: SimRouter) -> None:
    router.by_hand("/ip/pool/add", "=name=small", "=ranges=10.9.0.2-10.9.0.4")
    router.by_hand("/ppp/profile/set", "=numbers=default", "=remote-address=small")
    router.secrets_add(4)
    assert router.cpes_add(4) == 3
    router.cpe_remove("user2")
    until(lambda: router.online() == ["user1", "user3", "user4"])
    assert {one["name"]: one["address"] for one in router.truth()}["user4"] == "10.9.0.3"


def test_names_that_do_not_differ_are_refused(router: SimRouter) -> None:
    with pytest.raises(ValueError, match="one subscriber only"):
        router.secrets_add(2, name="jane")
    with pytest.raises(ValueError, match=r"only \{n\} is known"):
        router.cpes_add(1, name="{m}")
    with pytest.raises(ValueError, match="a box has no 'colour'"):
        router.cpes_add(1, colour="red")


def test_traffic_flows_through_the_interface_of_a_session(router: SimRouter) -> None:
    router.secrets_add(1)
    router.cpes_add(1, download_bps=8_000_000, upload_bps=1_000_000)
    with Raw(router) as raw:
        row = values(raw.ask("/interface/monitor-traffic", "=interface=<pppoe-user1>", "=once=")[0])
    assert (row["rx-bits-per-second"], row["tx-bits-per-second"]) == ("1000000", "8000000")


# --- the list of faults -------------------------------------------------------------------------------------------

WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("explode", {}, "no fault 'explode'; there are cut, cut_after, trap"),
    ("cut", {"at": SET, "loud": True}, "cut has no 'loud'; there are at, when, items"),
    ("cut", {}, "cut does not happen at None, but at: command"),
    ("cut", {"at": "/ppp/secrets/set"}, "does not happen at '/ppp/secrets/set'"),
    ("cut", {"at": SET, "when": "after"}, "has no moment 'after'; there are before, applying, applied, answer"),
    ("cut", {"at": "/login", "when": "applying"}, "has no moment 'applying'; there are before, applied, answer"),
    ("cut", {"at": SET, "items": 2}, "items goes with when=applying"),
    ("cut", {"at": SET, "when": "applying", "items": 0}, "items of cut is a whole number from 1, or null, not 0"),
    ("trap", {"at": SET, "times": "2"}, "times of trap is a whole number"),
    ("trap", {"at": "now"}, "trap does not happen at 'now'"),
    ("garbage", {"at": PRINT, "what": "noise"}, "what of garbage is bytes or length or"),
    ("by_hand", {"at": "now"}, "sentence of by_hand is a list of words"),
    ("hang", {"at": "connect", "for_s": -1}, "for_s of hang is a number from 0"),
]


@pytest.mark.parametrize(("kind", "options", "words"), WRONG)
def test_a_fault_that_does_not_exist_names_what_does(
    router: SimRouter, control: ControlServer, kind: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are compared below
        router.fault_add(kind, **options)
    assert words in str(caught.value)
    assert refusal(control, "fault_add", router="r", kind=kind, **options) == str(caught.value)
    assert router.faults_list() == []


def test_faults_are_steered_through_the_control_port(router: SimRouter, control: ControlServer) -> None:
    router.secrets_add(2)
    fault = ask(control, "fault_add", router="r", kind="trap", at=PRINT, text="busy", times=3)["fault"]
    ask(control, "fault_add", router="r", kind="hang", at=SET)
    with Raw(router) as raw:
        assert raw.ask(PRINT)[0] == ["!trap", "=category=4", "=message=busy"]
        [trap, hang] = ask(control, "faults", router="r")["faults"]
        assert (trap["number"], trap["fired"], trap["times"], trap["is_spent"]) == (fault["number"], 1, 3, False)
        assert (hang["kind"], hang["at"], hang["when"], hang["fired"]) == ("hang", SET, "before", 0)
        ask(control, "fault_remove", router="r", number=fault["number"])
        assert raw.ask(PRINT)[0][0] == "!re"
        raw.send(SET, "=numbers=user1", "=disabled=yes")
        until(lambda: ask(control, "faults", router="r")["faults"][0]["fired"])
        ask(control, "faults_release", router="r")
        assert raw.answer() == [["!done"]]
        ask(control, "faults_clear", router="r")
        assert ask(control, "faults", router="r")["faults"] == []
        ask(control, "reboot", router="r", away_s=0.05)
        assert raw.is_closed()
    until(lambda: ask(control, "status", router="r")["is_listening"])
    assert ask(control, "status", router="r")["is_powered"]
    assert "there are r" in refusal(control, "truth", router="nowhere")
    assert refusal(control, "fault_remove", router="r", number=99).startswith("no fault 99; there are")
    assert refusal(control, "cpe_add", router="r", name="a", password="b", colour="red").startswith("a box has no")
    assert refusal(control, "dial", router="r", name="a", password="b") == "user not found"
    assert set(ask(control, "fault_kinds")["kinds"]) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_drawn_can_be_armed(kind: str) -> None:
    for seed in range(300):
        drawn = KINDS[kind].draw(random.Random(seed))
        _, _, options = read(kind, drawn)
        assert options["times"] is not None
        assert options.get("for_s", 0) is not None
    assert KINDS[kind].draw(random.Random(5)) == KINDS[kind].draw(random.Random(5))
    assert KINDS[kind].says.endswith(".")


def test_a_mixture_repeats_with_its_seed() -> None:
    assert mixture(random.Random(3), 20) == mixture(random.Random(3), 20)
    assert mixture(random.Random(3), 20) != mixture(random.Random(4), 20)
    assert {drawn["kind"] for drawn in mixture(random.Random(3), 400)} == set(KINDS)
    assert {drawn["kind"] for drawn in mixture(random.Random(3), 20, ["cut", "trap"])} == {"cut", "trap"}


@pytest.mark.parametrize("seed", range(12))
def test_a_router_outlives_any_mixture_of_faults(
    router: SimRouter, caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    """A client that tries again and again meets eight random faults; afterwards the router is as good as new."""
    router.secrets_add(30)
    router.cpes_add(30)
    for drawn in mixture(random.Random(seed), 8):
        router.fault_add(**drawn)
    for number in range(25):
        try:
            with Raw(router, log_in=False) as raw:
                raw.socket.settimeout(0.2)
                if raw.log_in() != [["!done"]]:
                    continue
                raw.ask(PRINT, ".tag=p")
                raw.ask("/ppp/active/print")
                raw.ask(SET, "=numbers=user1,user2,user3,user4", f"=comment={number}")
                raw.ask("/ppp/secret/add", f"=name=new{number}")
                raw.ask("/ppp/active/remove", "=numbers=user5")
                raw.ask("/ppp/secret/remove", "=numbers=user6,user7")
        except (OSError, OutOfStep):
            continue
    router.faults_clear()
    until(lambda: router.is_listening)
    with Raw(router) as raw:
        assert raw.ask("/ppp/secret/add", "=name=afterwards")[-1][0] == "!done"
        assert "afterwards" in [values(one).get("name") for one in raw.ask(PRINT)]
    until(lambda: all(entry["closed_at"] for entry in router.connections_journal()))
    assert not any("simulator" in entry["end"] for entry in router.connections_journal())
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
