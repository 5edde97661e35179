"""The faults of a simulated router, each seen by a client that is not ours: cuts and refusals."""

from __future__ import annotations

from typing import Any

import librouteros
import pytest
from librouteros.exceptions import ConnectionClosed, FatalError, TrapError

from simulators.routeros import RouterFarm, SimRouter
from tests.simulators.raw import PRINT, SET, OutOfStep, Raw, disable, disabled, until


def libros(router: SimRouter, **options: Any) -> Any:
    return librouteros.connect("127.0.0.1", "admin", "pw", port=router.port, encoding="utf-8", **options)


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
