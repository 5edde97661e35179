"""Tax: none, contained or on top; one rule of rounding; what was shown is what is paid."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.calculations import contained_tax, price_with_tax, quote
from billing.models import Invoice, InvoiceLine, Recharge
from billing.selectors import rules_current
from billing.services import policy_set, recharge_options_set, recharge_start
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.money import Money
from tests import factories
from tests.billing.test_receipts import booked, paid

amounts = st.decimals("0.01", "100000", places=2).map(lambda amount: Money(amount, "KES"))
percents = st.decimals("0", "99.99", places=2)


@given(price=amounts, percent=percents, periods=st.integers(1, 24), off=st.decimals("0", "100", places=2))
def test_net_and_tax_are_the_total(price: Money, percent: Decimal, periods: int, off: Decimal) -> None:
    shown = quote(price_with_tax(price, percent, is_on_top=True), periods, off, percent)
    net, tax = contained_tax(shown.total, shown.tax_percent)
    assert net + tax == shown.total == shown.subtotal - shown.discount
    assert tax == shown.tax
    assert min(net.amount, tax.amount) >= 0


@given(price=amounts, percent=percents)
def test_tax_on_top_is_found_again_inside(price: Money, percent: Decimal) -> None:
    shown = price_with_tax(price, percent, is_on_top=True)
    net, _ = contained_tax(shown, percent)
    assert abs(net.amount - price.amount) <= Decimal("0.01")


@given(price=amounts, percent=percents)
def test_contained_tax_leaves_the_price_as_it_is(price: Money, percent: Decimal) -> None:
    assert price_with_tax(price, percent, is_on_top=False) == price


def bought(mode: str, **package: Any) -> Invoice:
    """The invoice of one period of a package at 1,000, with 16 per cent."""
    policy_set(changes={"tax_mode": mode, "tax_percent": Decimal(16), "tax_name": "VAT"}, actor="system:x")
    subscription = factories.subscription_make(package=factories.package_make(price=Decimal(1000), **package))
    paid(subscription, "1160")
    found: Invoice = Invoice.objects.get()
    return found


def test_tax_on_top_makes_the_shown_price(tenant: Any) -> None:
    invoice = bought("on_top")
    assert (invoice.net, invoice.tax, invoice.total) == (Decimal(1000), Decimal(160), Decimal(1160))


def test_tax_contained_is_taken_out_of_the_price(tenant: Any) -> None:
    invoice = bought("contained")
    assert (invoice.net, invoice.tax, invoice.total) == (Decimal("862.07"), Decimal("137.93"), Decimal(1000))


def test_without_tax_there_is_none(tenant: Any) -> None:
    invoice = bought("none")
    assert (invoice.net, invoice.tax) == (Decimal(1000), Decimal(0))


def test_a_package_may_be_free_of_it(tenant: Any) -> None:
    assert bought("on_top", tax_class="exempt").total == Decimal(1000)


def test_the_line_says_rate_and_name(tenant: Any) -> None:
    bought("on_top")
    line = InvoiceLine.objects.get()
    assert (line.tax, line.tax_percent, line.tax_name) == (Decimal(160), Decimal(16), "VAT")


def test_an_order_keeps_the_tax_and_price_it_was_shown_with(tenant: Any) -> None:
    policy_set(changes={"tax_mode": "on_top", "tax_percent": Decimal(16)}, actor="system:x")
    subscription = factories.subscription_make(package=factories.package_make(price=Decimal(1000)))
    order: Recharge = recharge_start(subscription_id=subscription.id, periods=1, actor="system:x")
    policy_set(changes={"tax_percent": Decimal(20)}, actor="system:x")
    booked(subscription, "1160", order, "R-1")
    invoice = Invoice.objects.get()
    assert (invoice.total, invoice.tax) == (Decimal(1160), Decimal(160))


def test_a_package_has_discounts_of_its_own(tenant: Any) -> None:
    package = factories.package_make(price=Decimal(1000), discounts={"3": "50"})
    subscription = factories.subscription_make(package=package)
    order = recharge_start(subscription_id=subscription.id, periods=3, actor="system:x")
    assert order.total == Decimal(1500)


def test_lengths_offered_are_exactly_those_given(tenant: Any) -> None:
    rows = recharge_options_set(percents={1: Decimal(0), 12: Decimal(20)}, actor="user:x")
    assert [(row.periods, row.discount_percent) for row in rows] == [(1, Decimal(0)), (12, Decimal(20))]
    subscription = factories.subscription_make()
    with pytest.raises(DomainError):
        recharge_start(subscription_id=subscription.id, periods=3, actor="user:x")


def test_rules_of_a_tenant_decide(tenant: Any) -> None:
    package = factories.package_make(price=Decimal(1000))
    policy_set(changes={"tax_mode": "on_top", "tax_percent": Decimal(16)}, actor="system:x")
    assert rules_current().price_of(package).amount == Decimal("1160.00")
