"""Why a customer is off, or on: every reason is reached, and no answer contradicts the entitlement."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.entitlement import Entitlement, Level, QuietHours, Reason, Terms, entitlement
from network.why import FAULTS, LETTING_IN, NOT_ENTITLED, ONLINE, Code, Facts, LineAnswer, RouterFacts, whole, why
from network.wording import sentence, sentence_for_customer, todo, whole_sentence, whole_sentence_for_customer

ZONE = ZoneInfo("Africa/Nairobi")
AT = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
BEFORE, LATER = AT - timedelta(hours=2), AT + timedelta(hours=2)
UP = RouterFacts("tower 3", seen_at=AT)
AWAY = RouterFacts("tower 3", is_up=False, seen_at=BEFORE, error="no answer in time")
RESTING = replace(AWAY, rests_until=LATER)

PAID = Facts(
    at=AT,
    entitlement=Entitlement(Level.FULL, Reason.PAID, LATER),
    router=UP,
    wished=Level.FULL,
    applied=Level.FULL,
    is_converged=True,
    username="jane",
    applied_at=BEFORE,
    online_since=BEFORE,
    expired_at=LATER,
)


def kept(reason: Reason, **more: Any) -> Facts:
    """Online although the time ran out."""
    return replace(PAID, entitlement=Entitlement(Level.FULL, reason, LATER), expired_at=BEFORE, **more)


def off(reason: Reason, level: Level = Level.WALLED, **more: Any) -> Facts:
    values = {"wished": level, "applied": level, "online_since": None, "expired_at": BEFORE, "suspended_at": BEFORE}
    return replace(PAID, entitlement=Entitlement(level, reason, None), **{**values, **more})


#: Paid, and the router does not have it yet.
BEHIND = replace(PAID, applied=Level.WALLED, is_converged=False, online_since=None)

TABLE: list[tuple[Code, Facts, str]] = [
    (Code.ONLINE, PAID, "Paid until 4 May 2026, 14:00; online since 4 May 2026, 10:00."),
    (
        Code.ONLINE_GRACE,
        kept(Reason.GRACE),
        "Ran out on 4 May 2026, 10:00, in grace until 4 May 2026, 14:00; online since 4 May 2026, 10:00.",
    ),
    (
        Code.ONLINE_HELD,
        kept(Reason.HELD, held_by="asha@example.org", hold_reason="pays on Friday"),
        "kept online until 4 May 2026, 14:00 by asha@example.org (pays on Friday)",
    ),
    (Code.ONLINE_QUIET, kept(Reason.QUIET), "not cut before 4 May 2026, 14:00 (quiet hours)"),
    (Code.ONLINE_DUE, kept(Reason.DUE), "the cut is due; online since"),
    (
        Code.ONLINE_CUTS_STOPPED,
        kept(Reason.DUE, stopped_at=BEFORE, stop_cause="Too many at once"),
        "cuts are stopped since 4 May 2026, 10:00 (Too many at once)",
    ),
    (Code.NO_SESSION, replace(PAID, online_since=None), "let in, but the box does not dial; it never did"),
    (
        Code.NO_SESSION,
        replace(PAID, online_since=None, last_seen_at=BEFORE),
        "the box has not dialled since 4 May 2026, 10:00",
    ),
    (Code.ROUTER_SILENT, replace(PAID, router=AWAY), "router tower 3 is away since 4 May 2026, 10:00"),
    (Code.ON_ITS_WAY, replace(BEHIND, wished=Level.WALLED, is_converged=True), "on its way to router tower 3"),
    (
        Code.EVENT_PARKED,
        replace(BEHIND, wished=Level.WALLED, is_converged=True, is_parked=True),
        "stuck in a parked event",
    ),
    (Code.ROUTER_DISABLED, replace(BEHIND, router=replace(UP, is_enabled=False)), "is switched off in this program"),
    (Code.ROUTER_NEVER_REACHED, replace(BEHIND, router=replace(UP, is_up=None)), "has never been reached"),
    (
        Code.ROUTER_RESTING,
        replace(BEHIND, router=RESTING),
        "away since 4 May 2026, 10:00, resting until 4 May 2026, 14:00 (no answer in time)",
    ),
    (Code.ROUTER_AWAY, replace(BEHIND, router=AWAY), "has not been told: it is away since 4 May 2026, 10:00"),
    (Code.WRITING, BEHIND, "router tower 3 is only being told"),
    (Code.ROUTER_REFUSES, replace(BEHIND, trouble="input does not match"), "refuses the row: “input does not match”"),
    (
        Code.FOREIGN_ROW,
        replace(BEHIND, trouble="is not ours", is_foreign=True),
        "has a foreign row named “jane”, which is left alone",
    ),
    (Code.DRIFT, replace(PAID, trouble="does not show it"), "no longer has the line as it was seen on"),
    (Code.NEVER_PAID, off(Reason.UNPAID, expired_at=None), "Never paid: only the pay page can be reached."),
    (Code.NEVER_PAID, off(Reason.UNPAID, Level.BLOCKED), "Never paid: cannot connect."),
    (Code.UNPAID, off(Reason.EXPIRED), "Not paid since 4 May 2026, 10:00, cut on 4 May 2026, 10:00"),
    (Code.ENDED, off(Reason.ENDED, Level.BLOCKED), "The subscription has ended: cannot connect."),
    (
        Code.STILL_LET_IN,
        off(Reason.EXPIRED, applied=Level.FULL, is_converged=False, router=RESTING),
        "but still let in: router tower 3 has not been told",
    ),
    (
        Code.STILL_LET_IN,
        off(Reason.EXPIRED, Level.BLOCKED, trouble="does not show it", online_since=BEFORE),
        "but still let in: router tower 3 no longer has the line",
    ),
]


@pytest.mark.parametrize(("code", "facts", "words"), TABLE, ids=[f"{n}-{row[0]}" for n, row in enumerate(TABLE)])
def test_each_reason_is_told_apart_and_says_its_instants(code: Code, facts: Facts, words: str) -> None:
    answer = why(facts)
    assert answer.code is code
    assert words in sentence(answer, ZONE)


def test_the_table_reaches_every_reason() -> None:
    assert {code for code, _, _ in TABLE} | {Code.NO_LINE} == set(Code)


def test_what_somebody_can_mend_says_how() -> None:
    silent = {Code.ONLINE, Code.ONLINE_GRACE, Code.ONLINE_HELD, Code.ONLINE_QUIET, Code.ENDED}
    assert {code for code, facts, _ in TABLE if not todo(why(facts))} == silent


@pytest.mark.parametrize(("code", "facts", "words"), TABLE, ids=[f"{n}-{row[0]}" for n, row in enumerate(TABLE)])
def test_the_customer_hears_nothing_of_routers_errors_and_staff(code: Code, facts: Facts, words: str) -> None:
    named = replace(
        facts,
        router=replace(facts.router, name="PLANTED-router", error="PLANTED-error"),
        username="PLANTED-login",
        trouble=facts.trouble and "PLANTED-trouble",
        held_by="PLANTED-staff",
        hold_reason="PLANTED-reason",
        stop_cause="PLANTED-cause",
    )
    answer = why(named)
    text = sentence_for_customer(answer, ZONE)
    assert text
    assert "PLANTED" not in text
    says_no_name = {Code.ONLINE, Code.ONLINE_GRACE, Code.ONLINE_QUIET, Code.ONLINE_DUE, Code.NEVER_PAID, Code.UNPAID}
    for_staff = sentence(answer, ZONE) + todo(answer)
    assert ("PLANTED" in for_staff) is (code not in says_no_name | {Code.ENDED})


def test_a_customer_whose_cut_is_due_is_asked_to_pay_whether_cuts_are_stopped_or_not() -> None:
    due, stopped = why(kept(Reason.DUE)), why(kept(Reason.DUE, stopped_at=BEFORE))
    assert sentence_for_customer(due, ZONE) == sentence_for_customer(stopped, ZONE)
    assert "please pay now" in sentence_for_customer(due, ZONE)


# --- Whatever the facts are -----------------------------------------------------------------------------------

instants = st.one_of(st.none(), st.integers(-90, 90).map(lambda hours: AT + timedelta(hours=hours)))
levels = st.sampled_from(Level)
terms = st.builds(
    Terms,
    expires_at=instants,
    is_ended=st.booleans(),
    suspension=st.sampled_from([Level.WALLED, Level.BLOCKED]),
    grace=st.integers(0, 48).map(lambda hours: timedelta(hours=hours)),
    is_suspended=st.booleans(),
    held_until=instants,
    quiet=st.builds(QuietHours, zone=st.just(ZONE), from_hour=st.integers(0, 23), until_hour=st.integers(0, 23)),
)
entitlements = st.one_of(
    terms.map(lambda found: entitlement(found, AT)), st.just(Entitlement(Level.THROTTLED, Reason.PAID, LATER))
)
routers = st.builds(
    RouterFacts,
    name=st.just("tower 3"),
    is_enabled=st.booleans(),
    is_up=st.sampled_from([None, True, False]),
    seen_at=instants,
    rests_until=instants,
    error=st.sampled_from(["", "100 % away: %(name)s"]),
)
facts_of_any_kind = st.builds(
    Facts,
    at=st.just(AT),
    entitlement=entitlements,
    router=routers,
    wished=levels,
    applied=st.one_of(st.none(), levels),
    is_converged=st.booleans(),
    username=st.sampled_from(["jane", "50%s"]),
    applied_at=instants,
    trouble=st.sampled_from(["", "no such profile", "100 %s"]),
    is_foreign=st.booleans(),
    is_parked=st.booleans(),
    online_since=instants,
    last_seen_at=instants,
    expired_at=instants,
    suspended_at=instants,
    held_by=st.sampled_from(["", "asha@example.org"]),
    hold_reason=st.sampled_from(["", "promised 50 %"]),
    stopped_at=instants,
    stop_cause=st.just("Too many at once"),
)


@given(facts_of_any_kind)
def test_no_answer_contradicts_the_entitlement(facts: Facts) -> None:
    answer = why(facts)
    is_entitled = facts.entitlement.level in LETTING_IN
    assert answer.is_entitled is is_entitled
    assert (answer.code in NOT_ENTITLED) is not is_entitled
    if answer.is_online:
        assert is_entitled or answer.code is Code.STILL_LET_IN
        assert facts.online_since is not None
        assert facts.router.is_up is True
    if answer.code in ONLINE:
        assert answer.is_online
        assert facts.applied in LETTING_IN
    if answer.code in FAULTS:
        assert is_entitled
        assert facts.applied not in LETTING_IN or facts.trouble
    if answer.code is Code.STILL_LET_IN:
        assert answer.cause in FAULTS


@given(facts_of_any_kind)
def test_whatever_the_facts_there_is_one_sentence_for_each(facts: Facts) -> None:
    answer = why(facts)
    for text in (sentence(answer, ZONE), sentence_for_customer(answer, ZONE)):
        assert text.endswith(".")
        assert "%(" not in text.replace("%(name)s", "")
    assert isinstance(todo(answer), str)
    assert answer.tone in ("ok", "warn", "bad")


@given(st.lists(facts_of_any_kind, max_size=4))
def test_the_customer_as_a_whole_is_his_most_urgent_line(many: list[Facts]) -> None:
    found = whole([LineAnswer(why(facts), f"line{n}", f"Home {n}") for n, facts in enumerate(many)])
    assert found.answer.urgency == max((why(facts).urgency for facts in many), default=found.answer.urgency)
    assert (found.answer.code is Code.NO_LINE) is not bool(many)
    assert whole_sentence(found, ZONE)
    assert whole_sentence_for_customer(found, ZONE)


def test_of_several_lines_the_troubled_one_is_spoken_of_by_name() -> None:
    lines = [LineAnswer(why(PAID), "jane", "Home 10"), LineAnswer(why(BEHIND), "jane2", "Shop 20")]
    found = whole([*lines, LineAnswer(why(off(Reason.ENDED, Level.BLOCKED)), "old", "Home 5")])
    assert whole_sentence(found, ZONE).startswith("1 of 2 lines are online. jane2: Paid until")
    assert whole_sentence_for_customer(found, ZONE).startswith("Shop 20: You are being put online")
