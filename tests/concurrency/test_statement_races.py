"""Statements and staff under races: an entry is settled and written down once, and money gets one owner."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from billing.models import Receipt
from billing.selectors import wallet_of
from billing.services import ledger_check, receipt_assign, receipt_release
from ispbilling.kernel import clock, tenancy
from ispbilling.kernel.errors import Conflict
from ispbilling.kernel.models import Event
from ispbilling.kernel.money import Money
from payments.models import Payment, StatementLine
from payments.providers.base import StatementEntry
from payments.services import payment_settle, statement_take
from tests import factories
from tests.billing.test_suspense import nobodys
from tests.concurrency.guards import without_unique
from tests.concurrency.test_money_races import PAID, Place, at_once, inside

TOGETHER = 8


@pytest.fixture
def place(committed: None) -> Place:
    return Place()


def reading(place: Place, entry: StatementEntry) -> Callable[[int], Any]:
    """As the reader does it: outside a transaction."""

    def take(_number: int) -> int:
        with tenancy.tenant_context(place.tenant.id):
            return statement_take(account_id=place.account.id, family="mpesa", entries=[entry])

    return take


def test_readers_and_callbacks_at_once_settle_once(place: Place) -> None:
    now = clock.machine_now()
    entry = StatementEntry("TAF0000001", Money(Decimal(1500), "KES"), now, "", "PABCDEFGHJKM")
    read = reading(place, entry)
    settle = inside(
        place.tenant.id,
        lambda: payment_settle(payment_id=place.payment.id, attempt_id=place.attempt.id, result=PAID),
    )
    done = at_once(TOGETHER, lambda number: read(number) if number % 2 else settle(number))
    assert done.count("settled") + sum(one for one in done if isinstance(one, int)) == 1
    assert place.look(lambda: Event.objects.filter(name="payments.succeeded").count()) == 1
    assert place.look(lambda: Payment.objects.get().receipt) == "TAF0000001"
    assert place.look(StatementLine.objects.count) == 0


def lines_written_at_once(place: Place) -> int:
    entry = StatementEntry("TAF0000009", Money(Decimal(70), "KES"), clock.machine_now(), "", "somebody")
    assert at_once(TOGETHER, reading(place, entry)) == [0] * TOGETHER
    return int(place.look(StatementLine.objects.count))


def test_without_its_key_a_line_is_written_down_again_and_again(place: Place) -> None:
    with without_unique("payments_statementline", "statementline_once"):
        assert lines_written_at_once(place) == TOGETHER


def test_a_line_is_written_down_once(place: Place) -> None:
    assert lines_written_at_once(place) == 1


def test_of_eight_who_attach_the_same_money_one_does(place: Place) -> None:
    receipt = place.look(lambda: nobodys("700"))
    customers = [place.look(factories.customer_make) for _ in range(TOGETHER)]

    def attach(number: int) -> Any:
        owner = customers[number].id
        give = lambda: receipt_assign(receipt_id=receipt.id, customer_id=owner, actor=factories.ACTOR)  # noqa: E731
        return inside(place.tenant.id, give)(number)

    done = at_once(TOGETHER, attach)
    assert sum(isinstance(one, Conflict) for one in done) == TOGETHER - 1
    wallets = place.look(lambda: [wallet_of(one.id, "KES").amount for one in customers])
    assert sorted(wallets) == [Decimal(0)] * (TOGETHER - 1) + [Decimal(700)]


def test_of_eight_who_take_it_back_one_does(place: Place) -> None:
    receipt = place.look(lambda: nobodys("700"))
    owner = place.subscription.customer_id
    place.look(lambda: receipt_assign(receipt_id=receipt.id, customer_id=owner, actor=factories.ACTOR))
    take = lambda: receipt_release(receipt_id=receipt.id, reason="wrong", actor=factories.ACTOR)  # noqa: E731
    done = at_once(TOGETHER, inside(place.tenant.id, take))
    assert sum(isinstance(one, Conflict) for one in done) == TOGETHER - 1
    assert place.look(lambda: Receipt.objects.get(id=receipt.id).customer_id) is None
    assert place.look(ledger_check) == []
