"""The faults of a simulated router, each seen by a client that is not ours: silence, slowness, rubbish, mixtures."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from simulators.routeros import SimRouter
from tests.simulators.raw import PRINT, SET, OutOfStep, Raw, blind_tls, column, disable, disabled, until, values

# --- silence ------------------------------------------------------------------------------------------------------


def test_a_connection_is_accepted_and_not_read(router: SimRouter) -> None:
    fault = router.fault_add("hang", at="connect", times=None)
    with Raw(router, log_in=False) as raw:
        raw.send("/login", "=name=admin", "=password=pw")
        assert raw.is_silent()
        router.faults_release()
        assert raw.answer() == [["!done"]]
        with Raw(router, log_in=False) as other:
            assert other.is_silent()
        until(lambda: router.connections_journal()[1]["end"] == "peer")
        assert fault.fired == 2


def test_a_tls_handshake_is_not_answered(router: SimRouter) -> None:
    router.fault_add("hang", at="connect")
    with socket.create_connection(("127.0.0.1", router.tls_port), timeout=0.2) as plain, pytest.raises(TimeoutError):
        blind_tls().wrap_socket(plain)
    Raw(router, tls=True).socket.close()
    until(lambda: [entry["end"] for entry in router.connections_journal()] == ["peer", "peer"])


@pytest.mark.parametrize(("when", "logged_in"), [("before", 0), ("applied", 1)])
def test_a_log_in_hangs(router: SimRouter, when: str, logged_in: int) -> None:
    router.fault_add("hang", at="/login", when=when)
    with Raw(router, log_in=False) as raw:
        raw.send("/login", "=name=admin", "=password=pw")
        assert raw.is_silent()
        assert router.connections.open_logins() == logged_in
    until(lambda: router.connections_journal()[0]["end"] == "peer")
    assert router.max_open_logins() == logged_in


@pytest.mark.parametrize(
    ("moment", "written"), [({"when": "before"}, 0), ({"when": "applying", "items": 2}, 2), ({"when": "applied"}, 10)]
)
def test_a_command_hangs_and_is_dropped_when_the_client_gives_up(
    router: SimRouter, ids: list[str], moment: dict[str, Any], written: int
) -> None:
    fault = router.fault_add("hang", at=SET, **moment)
    with Raw(router) as raw:
        disable(raw, ids)
        raw.send(SET, f"=.id={ids[0]}", "=comment=behind it")
        assert raw.is_silent()
        assert disabled(router) == written
    until(lambda: router.connections_journal()[0]["closed_at"])
    router.faults_clear()
    with Raw(router) as raw:
        raw.ask("/system/identity/print")
    assert (disabled(router), fault.fired) == (written, 1)
    assert "behind it" not in column(router, "comment")


def test_a_command_that_outlives_its_client_is_written_late(router: SimRouter, ids: list[str]) -> None:
    fault = router.fault_add("hang", at=SET, outlives=True)
    with Raw(router) as raw:
        disable(raw, ids)
        until(lambda: fault.fired)
    until(lambda: router.connections_journal()[0]["closed_at"])
    assert disabled(router) == 0
    router.faults_release(fault)
    until(lambda: disabled(router) == 10)
    closed = router.connections_journal()[0]["closed_s"]
    assert router.journal()[0]["ended_s"] > closed


def test_a_command_that_arrives_after_its_client_has_gone_does_not_hang_for_ever(
    router: SimRouter, ids: list[str]
) -> None:
    router.set(latency_ms=50)
    router.fault_add("hang", at=SET)
    with Raw(router) as raw:
        disable(raw, ids)
    until(lambda: [entry["stopped"] for entry in router.journal()] == ["hang #1"])
    assert disabled(router) == 0


def test_a_hang_ends_by_itself_and_the_command_goes_on(router: SimRouter, ids: list[str]) -> None:
    router.fault_add("hang", at=SET, for_s=0.05)
    with Raw(router) as raw:
        disable(raw, ids)
        assert raw.answer() == [["!done"]]
    assert disabled(router) == 10


def test_an_answer_stops_after_so_many_rows_and_goes_on_when_released(router: SimRouter, ids: list[str]) -> None:
    router.fault_add("hang", at=PRINT, when="answer", rows=3)
    with Raw(router) as raw:
        raw.send(PRINT)
        assert [raw.read()[0] for _ in range(3)] == ["!re"] * 3  # type: ignore[index]
        assert raw.is_silent()
        router.faults_release()
        assert [sentence[0] for sentence in raw.answer()] == ["!re"] * 7 + ["!done"]


def test_other_tags_are_answered_while_one_hangs(router: SimRouter, ids: list[str]) -> None:
    router.fault_add("hang", at=SET)
    with Raw(router) as raw:
        disable(raw, ids, ".tag=a")
        assert raw.ask(PRINT, ".tag=b")[-1] == ["!done", ".tag=b"]
        assert raw.ask("/cancel", "=tag=a", ".tag=c") == [["!done", ".tag=c"]]
        assert raw.answer() == [["!trap", "=category=2", "=message=interrupted", ".tag=a"], ["!done", ".tag=a"]]


def test_a_command_is_cancelled_before_it_has_begun(router: SimRouter) -> None:
    with Raw(router) as raw:
        raw.send_together([("/interface/monitor-traffic", "=interface=ether1", ".tag=m"), ("/cancel", "=tag=m")])
        assert raw.answer() == [["!trap", "=category=2", "=message=interrupted", ".tag=m"], ["!done", ".tag=m"]]
        assert raw.answer() == [["!done"]]


# --- slow and spoilt answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [PRINT, "connect"])
def test_an_answer_trickles_and_is_whole_in_the_end(router: SimRouter, ids: list[str], at: str) -> None:
    fault = router.fault_add("slow", at=at, bytes_per_s=100)
    with Raw(router) as raw:
        raw.send(PRINT)
        first = raw.socket.recv(65_536)
        assert 0 < len(first) < 20
        raw.pending += first
        router.faults_clear()
        assert len(raw.answer()) == 11
    assert fault.fired == 1


def test_what_comes_after_a_trickling_answer_waits_for_it(router: SimRouter, ids: list[str]) -> None:
    router.fault_add("slow", at=PRINT, bytes_per_s=5_000)
    with Raw(router) as raw:
        raw.send(PRINT, ".tag=slow")
        raw.send("/system/identity/print", ".tag=fast")
        answers = [*raw.answer(), *raw.answer()]
    assert [one[-1] for one in answers] == [".tag=slow"] * 11 + [".tag=fast"] * 2


@pytest.mark.parametrize("what", ["bytes", "length"])
def test_an_answer_becomes_rubbish(router: SimRouter, ids: list[str], what: str) -> None:
    router.fault_add("garbage", at=PRINT, what=what, rows=2)
    with Raw(router) as raw:
        raw.send(PRINT)
        assert [raw.read()[0] for _ in range(2)] == ["!re"] * 2  # type: ignore[index]
        if what == "bytes":
            with pytest.raises(OutOfStep, match="control byte"):
                raw.read()
        else:
            assert raw.length() == 0xFFFFFFFF


def test_an_answer_with_a_tag_nobody_gave_comes_between(router: SimRouter, ids: list[str]) -> None:
    router.fault_add("garbage", at=PRINT, what="unknown_tag", rows=2)
    with Raw(router) as raw:
        raw.send(PRINT, ".tag=mine")
        tags = [sentence[-1] for sentence in (raw.answer() + raw.answer())]
    assert tags == [".tag=mine"] * 2 + [".tag=nobody-asked"] * 2 + [".tag=mine"] * 9


def test_an_unknown_reply_word_comes_between(router: SimRouter, ids: list[str]) -> None:
    router.fault_add("garbage", at=PRINT, what="unknown_reply", rows=1)
    with Raw(router) as raw:
        assert [sentence[0] for sentence in raw.ask(PRINT)] == ["!re", "!news", *["!re"] * 9, "!done"]


def test_every_sentence_of_an_answer_comes_twice(router: SimRouter, ids: list[str]) -> None:
    router.fault_add("garbage", at=PRINT, what="duplicate")
    with Raw(router) as raw:
        assert len(raw.ask(PRINT)) == 21
        assert raw.read() == ["!done"]
        assert len(raw.ask(PRINT)) == 11


def test_an_answer_loses_its_tag(router: SimRouter, ids: list[str]) -> None:
    router.fault_add("garbage", at=SET, what="no_tag")
    with Raw(router) as raw:
        disable(raw, ids, ".tag=a")
        assert raw.answer() == [["!done"]]


# --- together -----------------------------------------------------------------------------------------------------


def test_faults_combine(router: SimRouter, ids: list[str]) -> None:
    """Part of the list is written, by hand a row goes, the answer hangs, spoilt, and is cut."""
    faults = [
        router.fault_add(
            "by_hand", at=SET, when="applying", items=2, sentence=["/ppp/secret/remove", f"=.id={ids[4]}"]
        ),
        router.fault_add("garbage", at=PRINT, what="duplicate", rows=1),
        router.fault_add("hang", at=PRINT, when="answer", rows=2, for_s=0.05),
        router.fault_add("cut", at=PRINT, when="answer", rows=3),
    ]
    with Raw(router) as raw:
        disable(raw, ids)
        assert values(raw.answer()[0])["message"] == "no such item"
        assert [values(one)["name"] for one in raw.ask(PRINT)] == ["user1", "user2", "user2", "user3", "user3"]
    assert disabled(router) == 4
    assert [fault.fired for fault in faults] == [1, 1, 1, 1]
