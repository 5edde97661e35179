"""Payments that only the gateway's statement tells of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.models import Receipt
from ispbilling.kernel import clock, tenancy
from ispbilling.kernel.money import Money
from payments.models import Payment, PaymentAttempt, ProviderAccount, StatementLine
from payments.providers.base import Outcome, Result, StatementEntry
from payments.selectors import statements_due
from payments.services import (
    payment_settle,
    provider_account_edit,
    statement_read,
    statement_take,
    statement_wanted,
)
from simulators.daraja import Daraja, Shop
from simulators.daraja.till import NAIROBI
from tests.payments.test_services import Place

pytestmark = pytest.mark.usefixtures("committed")

ON = {"pull": "yes", "nominated_number": "254722000000"}


@pytest.fixture
def far() -> Iterator[Daraja]:
    far = Daraja(shops=[Shop(consumer_secret="PLANTED-9f2c")])
    far.behaviours[None] = ("hold", 0)
    far.start()
    yield far
    far.stop()


class Reader(Place):
    """A place whose statement is read."""

    def __init__(self, far: Daraja) -> None:
        super().__init__(far)
        with self.inside():
            provider_account_edit(account_id=self.account.id, label="M-Pesa", config=ON, actor="system:test")

    def read(self, *, is_due: bool = True) -> int | None:
        if is_due:
            with self.inside():
                ProviderAccount.objects.update(statement_due_at=clock.machine_now())
        with tenancy.tenant_context(self.tenant.id):
            return statement_read(account_id=self.account.id)

    def take(self, *entries: StatementEntry) -> int:
        with tenancy.tenant_context(self.tenant.id):
            return statement_take(account_id=self.account.id, family="mpesa", entries=entries)

    def lost(self, key: str = "") -> Payment:
        """Paid, but the answer to the push never came, and no callback either; shown as expired."""
        payment = self.start(key)
        with self.inside():
            PaymentAttempt.objects.filter(payment=payment).update(gateway_reference=None)
        self.end("lost_callback")
        self.make_due(timedelta(minutes=6))
        self.ask()
        assert self.fresh(payment).state == Payment.State.EXPIRED
        with self.inside():
            PaymentAttempt.objects.update(started_at=clock.machine_now())
        return payment

    def row(self, receipt: str, text: str = "C1001", amount: str = "500.00", ago: timedelta = timedelta(0)) -> None:
        """Somebody paid the shop by himself."""
        at = f"{datetime.now(NAIROBI) - ago:%Y-%m-%d %H:%M:%S}"
        self.far.others.append(
            {"transactionId": receipt, "trxDate": at, "msisdn": "2547 ***** 999", "amount": amount,
             "transactiontype": "c2b-pay-bill-debit", "billreference": text}
        )  # fmt: skip

    def account_now(self) -> ProviderAccount:
        with self.inside():
            return ProviderAccount.objects.get()

    def lines(self) -> list[str]:
        with self.inside():
            return list(StatementLine.objects.order_by("receipt").values_list("receipt", flat=True))


@pytest.fixture
def place(far: Daraja) -> Reader:
    return Reader(far)


def test_a_payment_nobody_told_us_of_is_found_and_booked_once(place: Reader) -> None:
    payment = place.lost()
    assert [place.read(), place.read()] == [1, 0]
    place.drain()
    found = place.fresh(payment)
    assert (found.state, found.receipt, found.is_late) == (Payment.State.SUCCEEDED, place.push().receipt, True)
    with place.inside():
        assert [row.number for row in Receipt.objects.all()] == [place.push().receipt]
    assert place.lines() == []


def test_one_who_can_only_be_found_there_makes_the_statement_due(place: Reader) -> None:
    place.read()
    place.lost()
    assert place.account_now().statement_due_at - clock.machine_now() < timedelta(seconds=21)


def test_a_payment_that_can_be_asked_for_leaves_the_statement_alone(place: Reader) -> None:
    place.read()
    place.start()
    place.make_due()
    place.ask()
    assert place.account_now().statement_due_at - clock.machine_now() > timedelta(minutes=14)


def test_the_receipt_of_a_payment_that_was_found_by_asking_is_learnt(place: Reader) -> None:
    payment = place.start()
    place.end("lost_callback")
    place.make_due()
    place.ask()
    assert place.fresh(payment).receipt is None
    assert place.account_now().statement_due_at - clock.machine_now() < timedelta(seconds=21)
    assert place.read() == 1
    place.drain()
    with place.inside():
        assert Receipt.objects.get().number == place.push().receipt


def test_money_that_was_found_by_asking_is_no_line_beside_a_push_that_was_cancelled(place: Reader) -> None:
    """He cancelled the first prompt and paid the second: staff must not find the same money once more."""
    first, second = place.start("first"), place.start("second")
    now = clock.machine_now()
    with place.inside():
        attempts = {row.payment_id: row.id for row in PaymentAttempt.objects.all()}
        ends = [(first, Outcome.CANCELLED), (second, Outcome.SUCCEEDED)]
        for payment, outcome in ends:
            payment_settle(payment_id=payment.id, attempt_id=attempts[payment.id], result=Result(outcome))
    entry = StatementEntry("TAF0000001", Money(Decimal(1500), "KES"), now, "254712345678", "")
    assert place.take(entry) == 1
    assert [place.fresh(first).receipt, place.fresh(second).receipt] == [None, "TAF0000001"]
    assert place.lines() == []


def test_each_entry_of_a_page_finds_a_payment_of_its_own(place: Reader) -> None:
    payments = [place.start("first"), place.start("second")]
    now = clock.machine_now()
    with place.inside():
        for attempt in PaymentAttempt.objects.all():
            payment_settle(payment_id=attempt.payment_id, attempt_id=attempt.id, result=Result(Outcome.SUCCEEDED))
    entries = [
        StatementEntry(f"TAF000000{number}", Money(Decimal(1500), "KES"), now, "254712345678", "") for number in (1, 2)
    ]
    assert place.take(*entries) == 2
    assert sorted(str(place.fresh(one).receipt) for one in payments) == ["TAF0000001", "TAF0000002"]
    assert place.lines() == []


def test_what_fits_no_payment_is_written_down_once_and_books_nothing(place: Reader) -> None:
    for number in range(7):
        place.row(f"TAF000000{number}")
    for _ in range(2):
        assert place.read() == 0
    with place.inside():
        line = StatementLine.objects.order_by("receipt")[0]
        assert (line.amount, line.payer, line.account_text) == (Decimal(500), "2547 ***** 999", "C1001")
        assert Payment.objects.count() == 0
    assert place.lines() == [f"TAF000000{number}" for number in range(7)]


def test_what_appears_late_is_found_by_the_overlap(place: Reader) -> None:
    place.read()
    place.row("TAF0000001", ago=timedelta(minutes=50))
    place.read()
    assert place.lines() == ["TAF0000001"]


def test_the_cursor_stays_where_the_gateway_did_not_answer(place: Reader) -> None:
    place.read()
    before = place.account_now().statement_until
    place.far.faults.arm("http_error", on="pull", status=500)
    assert place.read() is None
    account = place.account_now()
    assert account.statement_until == before
    assert account.statement_error.startswith("http.garbage")
    assert account.statement_due_at - clock.machine_now() < timedelta(minutes=1, seconds=1)
    place.far.faults.clear()
    assert place.read() == 0
    assert place.account_now().statement_error == ""


def test_a_shop_registers_once_and_again_with_other_keys(place: Reader) -> None:
    def registered() -> int:
        return sum(one["path"].endswith("register") for one in place.far.journal)

    place.read()
    place.read()
    assert registered() == 1
    with place.inside():
        config = {**ON, "nominated_number": "254722000001"}
        provider_account_edit(account_id=place.account.id, label="M-Pesa", config=config, actor="system:test")
    place.read()
    assert registered() == 2


def test_an_account_that_does_not_want_it_is_never_read(place: Reader) -> None:
    with place.inside():
        provider_account_edit(account_id=place.account.id, label="M-Pesa", config={"pull": "no"}, actor="system:test")
    assert place.account_now().statement_due_at is None
    with place.inside():
        statement_wanted(account_id=place.account.id)
    assert place.read(is_due=False) is None
    assert place.far.journal == []
    assert place.account.id not in [account for _, account in statements_due()]


def test_a_statement_that_is_not_due_is_not_read(place: Reader) -> None:
    place.read()
    assert place.read(is_due=False) is None
    assert place.account.id not in [account for _, account in statements_due()]


def test_a_cursor_of_a_clock_that_ran_ahead_is_outlived(place: Reader) -> None:
    with place.inside():
        ahead = clock.machine_now() + timedelta(days=300)
        ProviderAccount.objects.update(statement_until=ahead, statement_due_at=ahead)
    place.row("TAF0000001")
    assert place.read(is_due=False) == 0
    assert place.lines() == ["TAF0000001"]


def test_a_second_payment_with_the_reference_of_a_settled_one_is_not_that_payment(place: Reader) -> None:
    payment = place.lost()
    place.read()
    place.row("TAF0000099", text=place.push().reference, amount="1500.00")
    assert place.read() == 0
    assert place.fresh(payment).receipt == place.push().receipt
    assert place.lines() == ["TAF0000099"]


def test_a_receipt_told_twice_does_not_settle_a_second_payment(place: Reader) -> None:
    first = place.lost("one")
    place.read()
    place.far.pushes.clear()
    second = place.start("two")
    known = place.fresh(first).receipt
    with place.inside():
        reference = PaymentAttempt.objects.get(payment=second).reference
    entry = StatementEntry(known, Money(Decimal(1500), "KES"), clock.machine_now(), "254712345678", reference)
    assert place.take(entry) == 0
    assert place.fresh(second).state == Payment.State.PENDING


def test_one_that_was_settled_with_another_receipt_meanwhile_leaves_a_line(place: Reader) -> None:
    payment = place.lost()
    with place.inside():
        attempt = PaymentAttempt.objects.get()
        result = Result(Outcome.SUCCEEDED, receipt="TAF0000077", amount=payment.money)
        payment_settle(payment_id=payment.id, attempt_id=attempt.id, result=result)
    assert place.read() == 0
    assert place.lines() == [place.push().receipt]


@pytest.mark.parametrize("phone", ["2547 ***** 678", "254712345678"])
def test_at_a_till_telephone_amount_and_time_find_the_payment(place: Reader, phone: str) -> None:
    payment = place.lost()
    entry = StatementEntry("TAF0000001", Money(Decimal(1500), "KES"), clock.machine_now(), phone)
    assert place.take(entry) == 1
    assert place.fresh(payment).receipt == "TAF0000001"


def test_what_is_read_is_a_sign_of_life(place: Reader) -> None:
    with place.inside():
        ProviderAccount.objects.update(heard_at=None)
    place.read()
    assert place.account_now().heard_at is not None


def test_two_readers_at_once_read_once(place: Reader) -> None:
    with place.inside():
        ProviderAccount.objects.update(statement_due_at=clock.machine_now())
    answers: list[Any] = [place.read(is_due=False), place.read(is_due=False)]
    assert answers == [0, None]
