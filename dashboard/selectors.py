"""Reads that span apps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from billing.selectors import dues_of, wallets_of
from customers.models import Customer, CustomerPhone
from ispbilling.kernel import first_steps
from ispbilling.kernel.money import Money
from network.models import Line
from network.selectors import customers_online
from packages.models import Package


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One line of the customer list. ``balance`` is None for whoever may not see money; below zero he owes."""

    customer: Customer
    phone: str
    package: str
    line: str
    router: str
    is_online: bool
    balance: Money | None


def customer_rows(customers: Sequence[Customer], *, currency: str, with_money: bool) -> list[CustomerRow]:
    """What the list shows of these customers: seven queries at most, however many they are. No router is asked."""
    ids = [customer.id for customer in customers]
    # Values, not rows: a password is not taken out of its encryption to show a name.
    shown = Line.objects.filter(customer_id__in=ids).order_by("created_at", "id")
    lines = {one: (name, router) for one, name, router in shown.values_list("customer_id", "username", "router__name")}
    keys = {customer.package_key for customer in customers if customer.package_key}
    packages = dict(Package.objects.filter(id__in=keys).values_list("id", "name"))
    primary = CustomerPhone.objects.filter(customer_id__in=ids, is_primary=True)
    phones = dict(primary.values_list("customer_id", "number"))
    online = customers_online(ids)
    zero = Money.zero(currency)
    wallets = wallets_of(ids, currency) if with_money else {}
    dues = dues_of([one.id for one in customers if one.is_owing], currency) if with_money else {}
    return [
        CustomerRow(
            customer=customer,
            phone=phones.get(customer.id, ""),
            package=packages.get(customer.package_key, ""),
            line=lines.get(customer.id, ("", ""))[0],
            router=lines.get(customer.id, ("", ""))[1],
            is_online=customer.id in online,
            balance=wallets.get(customer.id, zero) - dues.get(customer.id, zero) if with_money else None,
        )
        for customer in customers
    ]


def lines_all() -> QuerySet[Line]:
    """Every line of the tenant."""
    return Line.objects.all()


@dataclass(frozen=True, slots=True)
class FirstStep:
    """One line of the first steps as one viewer sees it. ``is_next`` is the first that waits for somebody."""

    step: first_steps.Step
    is_done: bool
    is_next: bool
    may_do: bool


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """The way from an empty house to the first payment."""

    rows: list[FirstStep]

    @property
    def done(self) -> int:
        return sum(row.is_done for row in self.rows)

    @property
    def is_complete(self) -> bool:
        return self.done == len(self.rows)

    @property
    def next(self) -> FirstStep | None:
        return next((row for row in self.rows if row.is_next), None)


def first_steps_for(granted: Collection[str]) -> FirstSteps:
    """All steps of the current tenant as somebody with these permissions sees them. One query."""
    seen = first_steps.seen()
    coming = next((one.step for one in seen if not one.is_done), None)
    return FirstSteps(
        [FirstStep(one.step, one.is_done, one.step is coming, one.step.permission in granted) for one in seen]
    )
