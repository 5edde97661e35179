"""The timeline's assembling: what belongs to which payment, in which order, and how pages are cut."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ispbilling.kernel.money import Money
from network import timeline
from network.timeline import (
    Chain,
    Change,
    Entry,
    Invoice,
    Kind,
    Proof,
    Receipt,
    Session,
    Sources,
    Step,
    Timeline,
    assemble,
    ordered,
    paged,
)
from network.timeline_wording import chain_sentence, step_sentence

AT = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
PRICE = Money(Decimal(1500), "KES")
LINE, SUBSCRIPTION = uuid4(), uuid4()


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def bought(begin: float, number: str, generation: int, *, verb: str = "active") -> Sources:
    """A payment at ``begin`` seconds that leads to a session eight seconds later."""
    receipt, invoice = uuid4(), uuid4()
    until = after(begin + 86400)
    return Sources(
        receipts=[Receipt(receipt, after(begin), after(begin + 1), number, "mpesa", PRICE)],
        entries=[
            Entry(f"allocation:{invoice}", after(begin + 1), "Home", -PRICE),
            Entry(f"invoice:{invoice}", after(begin + 1), "Home", None),
            Entry(f"receipt:{receipt}", after(begin + 1), number, PRICE),
        ],
        invoices=[Invoice(invoice, "2026-000001", after(begin + 1), PRICE, SUBSCRIPTION, until)],
        changes=[Change(SUBSCRIPTION, after(begin + 1.1), verb, until)],
        proofs=[Proof(LINE, SUBSCRIPTION, "tower", generation, "full", after(begin + 2), after(begin + 5))],
        sessions=[Session(LINE, after(begin + 8), None, "10.0.0.5")],
    )


def together(*many: Sources) -> Sources:
    names = ("receipts", "entries", "invoices", "changes", "holds", "proofs", "sessions")
    return Sources(**{name: [row for one in reversed(many) for row in getattr(one, name)] for name in names})


def chained(found: Timeline, receipt: UUID) -> list[Kind]:
    return [step.kind for step in found.steps if step.chain == receipt]


WHOLE = [
    Kind.SESSION_STARTED,
    Kind.ACKNOWLEDGED,
    Kind.SUBSCRIPTION,
    Kind.WALLET,
    Kind.INVOICE,
    Kind.BOOKED,
    Kind.RECEIPT,
]


def test_a_payment_and_all_it_led_to_is_one_chain_newest_first() -> None:
    sources = bought(0, "A", 1)
    found = assemble(sources)
    assert chained(found, sources.receipts[0].id) == WHOLE
    assert [step.at for step in found.steps] == sorted((step.at for step in found.steps), reverse=True)


def test_the_time_from_paid_to_online_is_told() -> None:
    sources = bought(0, "A", 1)
    chain = assemble(sources).chains[sources.receipts[0].id]
    assert (chain.took, chain_sentence(chain)) == (timedelta(seconds=8), "online after 8 seconds")


def test_two_payments_within_a_minute_keep_their_own_steps() -> None:
    first, second = bought(0, "A", 1), bought(30, "B", 3)
    walled = Proof(LINE, SUBSCRIPTION, "tower", 2, "walled", after(20), after(21))
    ended = replace(first.sessions[0], stopped_at=after(20))
    sources = together(replace(first, proofs=[walled, *first.proofs], sessions=[ended]), second)
    found = assemble(sources)
    assert [step for step in chained(found, first.receipts[0].id) if step is not Kind.SESSION_STOPPED] == WHOLE
    assert chained(found, second.receipts[0].id) == WHOLE


def test_paying_ahead_lets_nobody_in_anew_and_says_he_was_online() -> None:
    first = bought(0, "A", 1)
    second = replace(bought(100, "B", 2, verb="extend"), proofs=[], sessions=[])
    found = assemble(together(first, second))
    chain = found.chains[second.receipts[0].id]
    assert (chain.online_at, chain.was_online, chain_sentence(chain)) == (None, True, "was online all along")


def test_a_new_speed_is_nobodys_payment() -> None:
    first = bought(0, "A", 1)
    faster = Proof(LINE, SUBSCRIPTION, "tower", 2, "full", after(900), after(901))
    redialled = [Session(LINE, after(902), None, "10.0.0.6"), replace(first.sessions[0], stopped_at=after(901))]
    found = assemble(replace(first, proofs=[faster, *first.proofs], sessions=redialled))
    assert chained(found, first.receipts[0].id) == WHOLE


def test_what_was_assigned_from_suspense_counts_from_its_assignment() -> None:
    sources = bought(0, "A", 1)
    receipt = sources.receipts[0]
    entries = [replace(one, key=one.key.replace("receipt:", "assign:")) for one in sources.entries]
    found = assemble(replace(sources, receipts=[replace(receipt, booked_at=after(0.5))], entries=entries))
    assert chained(found, receipt.id) == WHOLE


def test_a_payment_not_seen_online_yet_claims_nothing() -> None:
    sources = replace(bought(0, "A", 1), proofs=[], sessions=[])
    chain = assemble(sources).chains[sources.receipts[0].id]
    assert (chain.took, chain.was_online, chain_sentence(chain)) == (None, False, "")


def test_a_box_that_redials_before_the_router_is_read_again_is_what_the_payer_waited_for() -> None:
    sources = bought(0, "A", 1)
    early = replace(sources.sessions[0], started_at=after(2.5))  # wished at 2, acknowledged at 5
    assert assemble(replace(sources, sessions=[early])).chains[sources.receipts[0].id].online_at == after(2.5)


def test_a_session_begun_a_moment_before_the_wish_is_not() -> None:
    sources = bought(0, "A", 1)
    brief = Session(LINE, after(1.9), after(5.1), "10.9.9.9")
    found = assemble(replace(sources, sessions=[*sources.sessions, brief]))
    assert found.chains[sources.receipts[0].id].online_at == after(8)


def test_while_a_router_cannot_be_told_its_walled_sessions_are_nobodys() -> None:
    sources = bought(0, "A", 1)
    late = [replace(sources.proofs[0], seen_at=after(7200))]
    walled = Session(LINE, after(3600), after(7199), "10.9.9.9")
    let_in = replace(sources.sessions[0], started_at=after(7201))
    found = assemble(replace(sources, proofs=late, sessions=[let_in, walled]))
    assert found.chains[sources.receipts[0].id].online_at == after(7201)


def test_the_walled_session_before_is_not_what_he_waited_for() -> None:
    sources = bought(0, "A", 2)
    walled = Proof(LINE, SUBSCRIPTION, "tower", 1, "walled", after(-90), after(-80))
    before = Session(LINE, after(-60), after(4), "10.9.9.9")
    proofs, sessions = [*sources.proofs, walled], [*sources.sessions, before]
    found = assemble(replace(sources, proofs=proofs, sessions=sessions))
    assert found.chains[sources.receipts[0].id].online_at == after(8)


def test_older_acknowledgements_that_were_not_read_are_not_taken_for_none() -> None:
    sources = replace(bought(0, "A", 7), has_all_proofs=False)
    assert assemble(sources).chains[sources.receipts[0].id].online_at is None


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
@given(offsets=st.lists(st.integers(0, 12), max_size=30))
def test_pages_together_are_the_whole_and_tear_no_instant(limit: int, offsets: list[int]) -> None:
    every = Timeline(ordered(Step(after(one), Kind.HOLD, {"n": n}) for n, one in enumerate(offsets)), {})
    seen: list[Step] = []
    before: datetime | None = None
    for _ in range(len(offsets) + 1):
        page = paged(every, before=before, limit=limit)
        seen += page.steps
        before = page.next_before
        if before is None:
            break
        assert len(page.steps) >= limit
    assert seen == list(every.steps)
    assert before is None


def test_only_some_kinds_keep_their_chains() -> None:
    sources = bought(0, "A", 1)
    found = timeline.only(assemble(sources), frozenset(Kind) - timeline.MONEY)
    assert chained(found, sources.receipts[0].id) == [Kind.SESSION_STARTED, Kind.ACKNOWLEDGED, Kind.SUBSCRIPTION]


def test_who_dialled_again_is_online_last() -> None:
    """Of the one instant at which a session follows another."""
    sessions = [Session(LINE, after(9), None, "10.0.0.6"), Session(LINE, after(1), after(9), "10.0.0.5")]
    steps = assemble(Sources(sessions=sessions)).steps
    assert [(step.kind, step.values["address"]) for step in steps] == [
        (Kind.SESSION_STARTED, "10.0.0.6"),
        (Kind.SESSION_STOPPED, "10.0.0.5"),
        (Kind.SESSION_STARTED, "10.0.0.5"),
    ]


def test_a_session_behind_the_wall_is_not_called_online() -> None:
    sources = bought(0, "A", 2)
    walled = Proof(LINE, SUBSCRIPTION, "tower", 1, "walled", after(-90), after(-80))
    before = Session(LINE, after(-60), after(4), "10.9.9.9")
    sources = replace(sources, proofs=[*sources.proofs, walled], sessions=[*sources.sessions, before])
    told = [step_sentence(step, ZoneInfo("UTC")) for step in assemble(sources).steps]
    assert [text for text in told if "10." in text] == [
        "Online as 10.0.0.5",
        "Disconnected behind the wall, was 10.9.9.9",
        "Connected as 10.9.9.9, behind the wall",
    ]
    assert "KES 1,500.00 taken from the wallet: Home" in told


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "less than a second"), (1, "1 second"), (119, "119 seconds"), (600, "10 minutes"), (9000, "2 hours")],
)
def test_the_wait_is_told_in_the_unit_that_fits(seconds: float, words: str) -> None:
    chain = Chain(uuid4(), "A", AT, online_at=after(seconds))
    assert chain_sentence(chain) == f"online after {words}"
