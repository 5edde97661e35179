"""A package changes: what is left of the old one is neither lost nor multiplied."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from billing.calculations import (
    PaidTime,
    Period,
    TooMuchTime,
    changed_into_time,
    changed_into_wallet,
    credited_parts,
    time_for,
    unused_worth,
)
from billing.models import CreditNote, Invoice, Subscription
from billing.selectors import wallet_of
from billing.services import (
    cycle_run,
    package_change,
    package_change_cancel,
    package_change_preview,
    package_change_schedule,
    recharge_start,
    subscription_expiry_set,
)
from billing.services.ledger import ledger_check
from ispbilling.kernel import clock
from ispbilling.kernel.errors import Conflict, DomainError
from ispbilling.kernel.models import Event
from ispbilling.kernel.money import Money
from tests import factories
from tests.billing.test_receipts import booked, paid

NAIROBI = ZoneInfo("Africa/Nairobi")
T0 = datetime(2026, 1, 1, tzinfo=UTC)
amounts = st.decimals("0.01", "100000", places=2).map(lambda amount: Money(amount, "KES"))
instants = st.integers(0, 60 * 86_400).map(lambda second: T0 + timedelta(seconds=second))
units = st.sampled_from(["hour", "day", "month"])


def time_of(begin: datetime, end: datetime, value: Money) -> PaidTime:
    return PaidTime(begin, end, value, uuid4())


@given(begin=instants, length=st.integers(1, 90 * 86_400), value=amounts, at=instants, expires_at=instants)
def test_what_is_left_is_worth_no_more_than_was_paid(
    begin: datetime, length: int, value: Money, at: datetime, expires_at: datetime
) -> None:
    time = time_of(begin, begin + timedelta(seconds=length), value)
    worth = unused_worth(time, at=at, expires_at=expires_at)
    assert Money.zero("KES") <= worth <= value


@given(begin=instants, length=st.integers(1, 90 * 86_400), value=amounts, first=instants, second=instants)
def test_what_is_left_only_ever_gets_less(
    begin: datetime, length: int, value: Money, first: datetime, second: datetime
) -> None:
    end = begin + timedelta(seconds=length)
    time = time_of(begin, end, value)
    early, late = sorted([first, second])
    assert unused_worth(time, at=late, expires_at=end) <= unused_worth(time, at=early, expires_at=end)


@given(worth=amounts, price=amounts, unit=units, at=instants)
def test_worth_buys_its_share_of_time_to_the_second(worth: Money, price: Money, unit: str, at: datetime) -> None:
    period = Period(unit, 1, NAIROBI)
    assume(worth.amount / price.amount < 100)
    whole = int(worth.amount // price.amount)
    begin, end = (period.end(at, whole) if whole else at), period.end(at, whole + 1)
    until = time_for(worth, price=price, period=period, at=at)
    exact = (worth - price * whole).amount / price.amount * Decimal((end - begin).total_seconds())
    assert 0 <= exact - Decimal((until - begin).total_seconds()) < 1


@given(value=amounts, price=amounts, wallet=amounts, day=st.integers(0, 29))
def test_no_money_comes_from_nowhere_and_none_goes(value: Money, price: Money, wallet: Money, day: int) -> None:
    assume(value.amount / price.amount < 100)
    period, at, end = Period("month", 1, NAIROBI), T0 + timedelta(days=day), T0 + timedelta(days=30)
    times = [time_of(T0, end, value)]
    for reckon in (changed_into_time, changed_into_wallet):
        change = reckon(times, price=price, period=period, wallet=wallet, at=at, expires_at=end)
        assert change.wallet + change.price == wallet + change.worth
        assert change.missing == max(-change.wallet, Money.zero("KES"))


@given(
    cents=st.lists(st.integers(1, 100_000), min_size=1, max_size=6),
    percent=st.decimals("0", "99", places=2),
)
def test_credits_of_an_invoice_add_up_to_its_own_net_and_tax(cents: list[int], percent: Decimal) -> None:
    parts = [Money(Decimal(number) / 100, "KES") for number in cents]
    whole = sum(parts, Money.zero("KES"))
    tax = whole.split([Decimal(100), percent])[1]
    net, before = whole - tax, Money.zero("KES")
    nets = taxes = Money.zero("KES")
    for part in parts:
        part_net, part_tax = credited_parts(net, tax, before=before, amount=part)
        assert min(part_net.amount, part_tax.amount) >= 0
        before, nets, taxes = before + part, nets + part_net, taxes + part_tax
    assert (nets, taxes) == (net, tax)


@given(value=amounts, length=st.integers(60, 90 * 86_400), gone=st.integers(0, 90 * 86_400))
def test_what_is_left_is_worth_no_more_than_its_share(value: Money, length: int, gone: int) -> None:
    assume(gone <= length)
    end = T0 + timedelta(seconds=length)
    worth = unused_worth(time_of(T0, end, value), at=T0 + timedelta(seconds=gone), expires_at=end)
    assert 0 <= value.amount * (length - gone) / length - worth.amount < Decimal("0.01")


def test_going_back_and_forth_all_day_gains_no_second() -> None:
    """A script that changes its package every twenty seconds: rounding must not give back what was used."""
    price, period, at = Money(Decimal(30_000), "UGX"), Period("day", 30, NAIROBI), T0
    end, value = T0 + timedelta(days=30), price
    time = time_of(at, end, value)
    for _ in range(500):
        at += timedelta(seconds=20)
        change = changed_into_time(
            [time], price=price, period=period, wallet=Money.zero("UGX"), at=at, expires_at=time.end
        )
        time = time_of(at, change.expires_at, change.worth)
    assert time.end <= end


def test_what_would_buy_ten_years_is_refused() -> None:
    with pytest.raises(TooMuchTime):
        time_for(Money(Decimal(1000), "KES"), price=Money(Decimal(1), "KES"), period=Period("month", 1, NAIROBI), at=T0)


@pytest.fixture
def running(tenant: Any, travel: Any) -> Subscription:
    """1,500 paid for a month of 30 days, of which ten are gone."""
    package = factories.package_make(price=Decimal(1500), period_unit="day", period_count=30)
    subscription = factories.subscription_make(package=package)
    paid(subscription, "1500")
    travel(days=10)
    subscription.refresh_from_db()
    return subscription


def rounded(amount: Decimal) -> int:
    """To the shilling: it is worth some cents less with every second the test takes."""
    return int(amount.quantize(Decimal(1)))


def fast() -> Any:
    return factories.package_make(price=Decimal(3000), period_unit="day", period_count=30, download_kbps=40_000)


def test_what_is_left_becomes_time_of_the_new_package(running: Subscription) -> None:
    was, package = running.expires_at, fast()
    change = package_change_preview(subscription_id=running.id, package_id=package.id, into="time")
    package_change(subscription_id=running.id, package_id=package.id, into="time", seen=change.seen, actor="user:x")
    running.refresh_from_db()
    assert was is not None
    assert running.expires_at == change.expires_at
    assert (running.package_id, rounded(change.worth.amount)) == (package.id, 1000)
    # 1,000 of 3,000 are ten of thirty days; the clock goes on while the test runs.
    assert round((was - running.expires_at) / timedelta(hours=1)) == 240


def test_the_book_stays_balanced_and_the_wallet_as_it_was(running: Subscription) -> None:
    package_change(subscription_id=running.id, package_id=fast().id, actor="user:x")
    assert ledger_check() == []
    assert wallet_of(running.customer_id, "KES") == Money.zero("KES")


def test_a_credit_note_and_an_invoice_tell_of_it(running: Subscription) -> None:
    package_change(subscription_id=running.id, package_id=fast().id, actor="user:x")
    note = CreditNote.objects.get()
    assert (note.number[:3], rounded(note.total)) == ("CN-", 1000)
    assert sorted(Invoice.objects.values_list("total", flat=True)) == [note.total, Decimal("1500.000")]


def test_a_second_change_counts_nothing_twice(running: Subscription, travel: Any) -> None:
    package_change(subscription_id=running.id, package_id=fast().id, actor="user:x")
    travel(days=5)
    change = package_change_preview(subscription_id=running.id, package_id=fast().id)
    assert rounded(change.worth.amount) == 500


def test_the_wallet_pays_a_whole_period_of_the_new_one(running: Subscription) -> None:
    booked(running, "2500", None, "R-9")
    package = fast()
    change = package_change_preview(subscription_id=running.id, package_id=package.id, into="wallet")
    package_change(subscription_id=running.id, package_id=package.id, into="wallet", actor="user:x")
    running.refresh_from_db()
    assert rounded(change.wallet.amount) == 500
    assert rounded(wallet_of(running.customer_id, "KES").amount) == 500
    assert running.periods == 1


def test_without_the_money_nothing_changes(running: Subscription) -> None:
    with pytest.raises(DomainError, match="is missing"):
        package_change(subscription_id=running.id, package_id=fast().id, into="wallet", actor="user:x")
    assert not CreditNote.objects.exists()


def test_what_was_seen_and_does_not_hold_is_refused(running: Subscription) -> None:
    package = fast()
    seen = package_change_preview(subscription_id=running.id, package_id=package.id, into="wallet").seen
    booked(running, "5000", None, "R-9")
    with pytest.raises(Conflict) as refused:
        package_change(subscription_id=running.id, package_id=package.id, into="wallet", seen=seen, actor="user:x")
    assert refused.value.code == "change.moved"


def test_the_line_is_looked_at_afresh(running: Subscription) -> None:
    Event.objects.all().delete()
    package_change(subscription_id=running.id, package_id=fast().id, actor="user:x")
    assert [event.name for event in Event.objects.all()] == ["billing.subscription_changed"]


def test_an_ordered_change_waits_for_the_end_of_what_is_paid(running: Subscription, travel: Any) -> None:
    package = fast()
    package_change_schedule(subscription_id=running.id, package_id=package.id, actor="user:x")
    running.refresh_from_db()
    assert running.package_id != package.id
    travel(days=21)
    cycle_run()
    running.refresh_from_db()
    assert (running.package_id, running.next_package_id) == (package.id, None)


def test_the_next_period_is_bought_of_the_ordered_package(running: Subscription, travel: Any) -> None:
    package, was = fast(), running.expires_at
    package_change_schedule(subscription_id=running.id, package_id=package.id, actor="user:x")
    recharge = recharge_start(subscription_id=running.id, periods=1, actor="user:x")
    booked(running, "3000", recharge, "R-9")
    running.refresh_from_db()
    assert was is not None
    assert running.expires_at == was + timedelta(days=30)
    assert running.package_id != package.id  # not before the old one is used up
    travel(days=21)
    cycle_run()
    running.refresh_from_db()
    assert (running.package_id, running.state) == (package.id, Subscription.State.ACTIVE)


def test_the_wallet_renews_with_the_ordered_package(running: Subscription, travel: Any) -> None:
    package = fast()
    package_change_schedule(subscription_id=running.id, package_id=package.id, actor="user:x")
    booked(running, "3000", None, "R-9")
    travel(days=20)
    cycle_run()
    running.refresh_from_db()
    assert (running.package_id, running.state) == (package.id, Subscription.State.ACTIVE)
    assert wallet_of(running.customer_id, "KES") == Money.zero("KES")


def test_an_ordered_change_is_taken_back(running: Subscription) -> None:
    package_change_schedule(subscription_id=running.id, package_id=fast().id, actor="user:x")
    package_change_cancel(subscription_id=running.id, actor="user:x")
    running.refresh_from_db()
    assert running.next_package_id is None


def test_what_never_ran_only_changes_its_package(tenant: Any) -> None:
    subscription, package = factories.subscription_make(), fast()
    package_change(subscription_id=subscription.id, package_id=package.id, actor="user:x")
    subscription.refresh_from_db()
    assert (subscription.package_id, subscription.expires_at) == (package.id, None)


def test_the_package_he_has_is_no_change(running: Subscription) -> None:
    with pytest.raises(Conflict) as refused:
        package_change(subscription_id=running.id, package_id=running.package_id, actor="user:x")
    assert refused.value.code == "change.same"


def test_what_ran_out_since_it_was_seen_is_refused(running: Subscription, travel: Any) -> None:
    """Else it would be cut and paid for at once, and nobody would look at it when it ends."""
    travel(days=19, hours=23, minutes=55)
    package = factories.package_make(price=Decimal(1), period_unit="day", period_count=30)
    seen = package_change_preview(subscription_id=running.id, package_id=package.id).seen
    travel(minutes=10)
    cycle_run()
    with pytest.raises(Conflict) as refused:
        package_change(subscription_id=running.id, package_id=package.id, seen=seen, actor="user:x")
    assert refused.value.code == "change.moved"


def test_what_it_bought_and_is_over_by_now_is_refused(running: Subscription, travel: Any) -> None:
    """Twenty minutes of the old one are one of the new one, which is over when it is booked."""
    travel(days=19, hours=23, minutes=40)
    package = factories.package_make(price=Decimal(30_000), period_unit="day", period_count=30)
    seen = package_change_preview(subscription_id=running.id, package_id=package.id).seen
    travel(minutes=10)
    with pytest.raises(Conflict) as refused:
        package_change(subscription_id=running.id, package_id=package.id, seen=seen, actor="user:x")
    assert refused.value.code == "change.moved"


def test_what_buys_less_than_a_second_is_refused(running: Subscription, travel: Any) -> None:
    travel(days=19, hours=20)
    package = factories.package_make(price=Decimal(9_000_000), period_unit="minute", period_count=1)
    with pytest.raises(DomainError) as refused:
        package_change(subscription_id=running.id, package_id=package.id, actor="user:x")
    assert refused.value.code == "change.worthless"


def test_time_taken_by_hand_is_not_given_back_by_what_is_bought_later(running: Subscription, travel: Any) -> None:
    subscription_expiry_set(subscription_id=running.id, expires_at=clock.now(), reason="wrong line", actor="user:x")
    travel(minutes=1)
    cycle_run()
    paid(running, "1500", number="R-9")
    change = package_change_preview(subscription_id=running.id, package_id=fast().id)
    assert rounded(change.worth.amount) == 1500
