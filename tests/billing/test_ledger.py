"""The book: balanced, append-only, and guarded by the database itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.models import AccountKind, AccountName, LedgerBalance, LedgerEntry, LedgerLeg
from billing.selectors import balance
from billing.services.ledger import Posting, ledger_check, post, posting
from ispbilling.kernel import clock
from ispbilling.kernel.ids import uuid7
from ispbilling.kernel.money import Money

CLEARING, REVENUE, SUSPENSE = (AccountName(kind) for kind in ("clearing", "revenue", "suspense"))


def kes(amount: str | Decimal) -> Money:
    return Money(Decimal(amount), "KES")


def simple(amount: str, key: str = "") -> Posting:
    return posting(
        key=key or str(uuid4()), kind="test", customer_id=None, at=clock.now(), memo="", debit=CLEARING,
        credit=[(REVENUE, kes(amount))],
    )  # fmt: skip


legs = st.lists(
    st.tuples(
        st.sampled_from([AccountName(kind) for kind in AccountKind.values]),
        st.decimals(-100_000, 100_000, places=2).filter(bool),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(legs, min_size=1, max_size=4))
def test_balances_are_the_sums_of_legs_and_the_whole_is_zero(tenant: Any, entries: list[Any]) -> None:
    postings = []
    for rows in entries:
        total = sum(amount for _, amount in rows)
        balanced = [(name, kes(amount)) for name, amount in rows]
        if total:
            balanced.append((SUSPENSE, kes(-total)))
        postings.append(Posting(uuid7(), str(uuid4()), "test", None, clock.now(), "", balanced))
    post(postings)
    assert ledger_check() == []
    assert sum(LedgerBalance.objects.values_list("amount", flat=True)) == 0


def test_an_entry_that_does_not_balance_is_refused(tenant: Any) -> None:
    crooked = Posting(uuid7(), "k", "test", None, clock.now(), "", [(CLEARING, kes("1")), (REVENUE, kes("-2"))])
    with pytest.raises(ValueError, match="does not balance"), transaction.atomic():
        post([crooked])


def test_the_database_refuses_it_too(tenant: Any) -> None:
    post([simple("10")])
    leg = LedgerLeg.objects.first()
    assert leg is not None
    with pytest.raises(DatabaseError, match="do not sum to zero"), transaction.atomic():
        LedgerLeg.objects.create(entry=leg.entry, account=leg.account, amount=Decimal(1))


def test_the_same_cause_is_entered_once(tenant: Any) -> None:
    post([simple("10", key="cause")])
    with pytest.raises(DatabaseError), transaction.atomic():
        post([simple("10", key="cause")])
    assert LedgerEntry.objects.count() == 1


def test_currencies_do_not_mix_in_one_entry(tenant: Any) -> None:
    mixed = [(CLEARING, Money(Decimal(1), "KES")), (REVENUE, Money(Decimal(-1), "BDT"))]
    with pytest.raises(ValueError, match="mixes currencies"), transaction.atomic():
        post([Posting(uuid7(), "k", "test", None, clock.now(), "", mixed)])


def test_a_balance_counts_every_posting(tenant: Any) -> None:
    post([simple("10"), simple("2.50")])
    assert balance(CLEARING, "KES") == kes("12.50")


def test_the_check_finds_a_balance_that_was_tampered_with(tenant: Any) -> None:
    post([simple("10")])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE billing_ledgerbalance SET amount = amount + 1 WHERE amount > 0")
    assert [found["what"] for found in ledger_check()] == ["balance"]
