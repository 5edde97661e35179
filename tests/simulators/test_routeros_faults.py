"""The faults of a simulated router, each seen by a client that is not ours: cuts, refusals, silence, rubbish."""

from __future__ import annotations

import socket
from typing import Any

import librouteros
import pytest
from librouteros.exceptions import ConnectionClosed, FatalError, TrapError

from simulators.routeros import RouterFarm, SimRouter
from tests.simulators.raw import OutOfStep, Raw, blind_tls, column, until, values

SET, PRINT = "/ppp/secret/set", "/ppp/secret/print"


def libros(router: SimRouter, **options: Any) -> Any:
    return librouteros.connect("127.0.0.1", "admin", "pw", port=router.port, encoding="utf-8", **options)


@pytest.fixture
def ids(router: SimRouter) -> list[str]:
    """The ids of ten secrets."""
    router.secrets_add(10)
    router.journal_clear()
    return column(router, ".id")


def disable(raw: Raw, ids: list[str], *more: str) -> None:
    raw.send(SET, f"=.id={','.join(ids)}", "=disabled=yes", *more)


def disabled(router: SimRouter) -> int:
    return column(router, "disabled").count("true")


# --- cuts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        ({"when": "before"}, 0),
        ({"when": "applying", "items": 3}, 3),
        ({"when": "applying"}, 5),
        ({"when": "applied"}, 10),
        ({"when": "answer"}, 10),
    ],
)
def test_a_cut_leaves_written_what_was_written_by_then(
    router: SimRouter, ids: list[str], moment: dict[str, Any], written: int
) -> None:
    fault = router.fault_add("cut", at=SET, **moment)
    with Raw(router) as raw:
        disable(raw, ids)
        assert raw.read() is None
    assert (disabled(router), fault.fired) == (written, 1)
    [entry] = router.journal()
    assert (entry["items"], entry["wanted"], entry["is_applied"]) == (written, 10, written == 10)
    with Raw(router) as raw:  # once only
        assert raw.ask(SET, f"=.id={','.join(ids)}", "=disabled=no") == [["!done"]]


def test_a_list_that_is_too_short_passes_a_cut_in_the_middle(router: SimRouter, ids: list[str]) -> None:
    fault = router.fault_add("cut", at=SET, when="applying", items=3)
    half = router.fault_add("cut", at=SET, when="applying")
    with Raw(router) as raw:
        assert raw.ask(SET, f"=.id={ids[0]}", "=disabled=yes") == [["!done"]]
    assert (fault.fired, half.fired) == (0, 0)


def test_an_answer_is_cut_after_so_many_rows(router: SimRouter, ids: list[str]) -> None:
    router.fault_add("cut", at=PRINT, when="answer", rows=4)
    with Raw(router) as raw:
        answer = raw.ask(PRINT)
        assert [sentence[0] for sentence in answer] == ["!re"] * 4
        assert raw.is_closed()


def test_an_answer_is_cut_in_the_middle_of_a_sentence(router: SimRouter, ids: list[str]) -> None:
    router.fault_add("cut", at=PRINT, when="answer", rows=4, mid_sentence=True)
    with Raw(router) as raw:
        raw.send(PRINT)
        assert [raw.read()[0] for _ in range(4)] == ["!re"] * 4  # type: ignore[index]
        with pytest.raises(OutOfStep):
            raw.read()


def test_librouteros_sees_a_cut_answer_as_a_closed_connection(router: SimRouter, ids: list[str]) -> None:
    api = libros(router)
    router.fault_add("cut", at=PRINT, when="answer", rows=4)
    with pytest.raises(ConnectionClosed):
        tuple(api(PRINT))


def test_a_cut_may_be_a_reset(router: SimRouter, ids: list[str]) -> None:
    router.fault_add("cut", at=SET, reset=True)
    with Raw(router) as raw:
        disable(raw, ids)
        with pytest.raises(ConnectionResetError):
            raw.read()


def test_a_long_answer_is_out_before_it_is_cut(router: SimRouter) -> None:
    router.secrets_add(5_000)
    router.fault_add("cut", at=PRINT, when="answer", rows=4_999)
    with Raw(router) as raw:
        assert len(raw.ask(PRINT)) == 4_999


@pytest.mark.parametrize("reset", [False, True])
def test_a_cut_over_tls(router: SimRouter, ids: list[str], reset: bool) -> None:
    router.fault_add("cut", at=SET, when="applying", items=3, reset=reset)
    with Raw(router, tls=True) as raw:
        disable(raw, ids)
        assert raw.is_closed()
    assert (disabled(router), router.connections_journal()[0]["end"]) == (3, "cut #1")


def test_a_connection_is_cut_when_it_is_made(router: SimRouter) -> None:
    router.fault_add("cut", at="connect")
    with Raw(router, log_in=False) as raw:
        assert raw.is_closed()
    Raw(router).socket.close()
    assert router.connections_journal()[0]["end"] == "cut #1"


def test_every_connection_is_cut_now(router: SimRouter) -> None:
    with Raw(router) as one, Raw(router) as other:
        router.fault_add("cut", at="now")
        assert one.read() is None
        assert other.read() is None


def test_the_commands_behind_a_cut_are_not_obeyed(router: SimRouter, ids: list[str]) -> None:
    router.fault_add("cut", at=SET, skip=2)
    with Raw(router) as raw:
        raw.send_together((SET, f"=.id={row_id}", "=disabled=yes", f".tag={row_id}") for row_id in ids)
        assert raw.is_closed()
    assert disabled(router) == 2


def test_a_connection_is_cut_after_so_many_sentences(router: SimRouter, ids: list[str]) -> None:
    router.fault_add("cut_after", sentences=6)
    with Raw(router) as raw:  # the log-in is one
        assert len(raw.ask(PRINT)) == 5
        assert raw.is_closed()
    with Raw(router) as raw:
        assert len(raw.ask(PRINT)) == 11


def test_sentences_are_counted_over_all_connections_of_the_router(router: SimRouter, ids: list[str]) -> None:
    with Raw(router) as one, Raw(router) as other:
        fault = router.fault_add("cut_after", sentences=15, scope="router", mid_sentence=True)
        assert len(one.ask(PRINT)) == 11
        other.send(PRINT)
        assert [other.read()[0] for _ in range(4)] == ["!re"] * 4  # type: ignore[index]
        with pytest.raises(OutOfStep):
            other.read()
        assert len(one.ask(PRINT)) == 11
        assert fault.fired == 1


def test_sentences_are_counted_anew_after_each_cut(router: SimRouter, ids: list[str]) -> None:
    fault = router.fault_add("cut_after", sentences=15, scope="router", times=2)
    for seen in (11, 2, 11, 2, 11):  # besides one for each log-in
        with Raw(router) as raw:
            assert len(raw.ask(PRINT)) == seen
    assert fault.fired == 2


# --- refusals -----------------------------------------------------------------------------------------------------


def test_a_command_is_refused_as_often_as_said_with_category_and_text(router: SimRouter, ids: list[str]) -> None:
    fault = router.fault_add("trap", at=SET, category=2, text="action timed out", times=2)
    secrets = libros(router).path("ppp", "secret")
    for _ in range(2):
        with pytest.raises(TrapError, match="action timed out") as caught:
            secrets.update(**{".id": ids[0], "disabled": True})
        assert caught.value.category == 2
    assert disabled(router) == 0
    secrets.update(**{".id": ids[0], "disabled": True})
    assert (disabled(router), fault.fired) == (1, 2)
    assert [entry["trap"] for entry in router.journal()] == ["action timed out", "action timed out", None]


def test_a_refusal_may_come_for_ever(router: SimRouter, ids: list[str]) -> None:
    router.fault_add("trap", at="/ppp/secret/*", times=None)
    with Raw(router) as raw:
        for command in (PRINT, SET, "/ppp/secret/remove") * 2:
            assert raw.ask(command, f"=.id={ids[0]}")[0][0] == "!trap"
        assert raw.ask("/system/identity/print")[0][0] == "!re"
    router.faults_clear()
    with Raw(router) as raw:
        assert len(raw.ask(PRINT)) == 11


def test_only_a_list_is_refused(router: SimRouter, ids: list[str]) -> None:
    router.fault_add("trap", at=SET, lists_only=True, times=None)
    with Raw(router) as raw:
        assert raw.ask(SET, f"=.id={ids[0]}", "=disabled=yes") == [["!done"]]
        assert raw.ask(SET, f"=numbers={ids[1]},{ids[2]}", "=disabled=yes")[0][0] == "!trap"
    assert disabled(router) == 1


@pytest.mark.parametrize(("moment", "written"), [({"when": "applying", "items": 4}, 4), ({"when": "applied"}, 10)])
def test_a_list_is_refused_after_a_part_was_written(
    router: SimRouter, ids: list[str], moment: dict[str, Any], written: int
) -> None:
    router.fault_add("trap", at=SET, text="no such item", category=0, **moment)
    with Raw(router) as raw:
        disable(raw, ids, ".tag=a")
        assert raw.answer() == [["!trap", "=category=0", "=message=no such item", ".tag=a"], ["!done", ".tag=a"]]
    assert disabled(router) == written
    assert [(entry["items"], entry["trap"]) for entry in router.journal()] == [(written, "no such item")]


def test_fatal_ends_the_conversation(router: SimRouter, ids: list[str]) -> None:
    router.fault_add("fatal", at=SET, text="out of memory")
    api = libros(router)
    with pytest.raises(FatalError, match="out of memory"):
        api.path("ppp", "secret").update(**{".id": ids[0], "disabled": True})
    assert disabled(router) == 0


def test_fatal_at_the_log_in(router: SimRouter) -> None:
    router.fault_add("fatal", at="/login", text="not now")
    with Raw(router, log_in=False) as raw:
        assert raw.log_in() == [["!fatal", "not now"]]
        assert raw.is_closed()
    assert router.max_open_logins() == 0


def test_a_log_in_is_refused_although_the_password_is_right(router: SimRouter) -> None:
    router.fault_add("login_refused")
    with pytest.raises(TrapError, match="invalid user name or password"):
        libros(router)
    libros(router).close()


def test_a_wrong_password_does_not_use_up_a_refused_log_in(router: SimRouter) -> None:
    fault = router.fault_add("login_refused", text="cannot log in")
    with Raw(router, log_in=False, password="wrong") as raw:
        assert "invalid user name or password" in raw.log_in()[0][2]
    assert fault.fired == 0


def test_the_old_log_in_can_be_refused_too(farm: RouterFarm) -> None:
    router = farm.add("old", users={"admin": "pw"}, login="old", version="6.40.9 (stable)")
    router.fault_add("login_refused", text="cannot log in")
    with pytest.raises(TrapError, match="cannot log in"):
        libros(router, login_method=librouteros.token)
    libros(router, login_method=librouteros.token).close()
    farm.remove("old")


@pytest.mark.parametrize(("answer", "first"), [("trap", ["!trap"]), ("fatal", ["!fatal"]), ("close", [])])
def test_log_ins_beyond_the_limit_are_refused(router: SimRouter, answer: str, first: list[str]) -> None:
    fault = router.fault_add("session_limit", limit=2, answer=answer)
    with Raw(router), Raw(router) as second:
        with Raw(router, log_in=False) as third:
            assert [sentence[0] for sentence in third.log_in()][:1] == first
        second.socket.close()
        until(lambda: router.connections.open_logins() == 1)
        Raw(router).socket.close()
    assert (fault.fired, router.max_open_logins()) == (1, 2)


def test_a_limit_may_be_for_one_user(router: SimRouter) -> None:
    router.fault_add("session_limit", limit=1, user="billing")
    with Raw(router), Raw(router), Raw(router, user="billing"), Raw(router, log_in=False, user="billing") as fourth:
        assert fourth.log_in()[0][0] == "!trap"


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
