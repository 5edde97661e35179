"""Money by the API: what came, what was invoiced, what came of it."""

from __future__ import annotations

from typing import Any

import pytest

from billing.models import Receipt
from tests import factories
from tests.programs import Program, staff


@pytest.fixture(autouse=True)
def hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]


@pytest.fixture
def till(tenant: Any) -> Program:
    factories.account_make("cash")
    return staff(tenant, "billing")


def cash(till: Program, customer_id: Any, amount: str, key: str) -> Any:
    body = {"customerId": str(customer_id), "amount": amount, "method": "cash"}
    return till.post("/api/billing/transactions", body, idempotency_key=key)


def test_cash_is_booked_once_per_key(till: Program) -> None:
    customer = factories.customer_make()
    answers = [cash(till, customer.id, "250", "k1") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.content for answer in answers}) == 1
    assert Receipt.objects.count() == 1
    found = till.get("/api/billing/transactions").json()
    assert (found["total"], found["transactions"][0]["amount"]) == (1, "250.00")


def test_cash_without_a_key_is_not_booked(till: Program) -> None:
    customer = factories.customer_make()
    body = {"customerId": str(customer.id), "amount": "250"}
    answer = till.post("/api/billing/transactions", body)
    assert list(answer.json()["error"]["fields"]) == ["Idempotency-Key"]
    assert Receipt.objects.count() == 0


def test_support_sees_money_and_books_none(tenant: Any) -> None:
    support, customer = staff(tenant, "support"), factories.customer_make()
    assert cash(support, customer.id, "250", "k1").status_code == 403
    assert support.get("/api/billing/transactions").json()["total"] == 0


def test_a_tenant_that_takes_no_cash_says_so(tenant: Any) -> None:
    answer = cash(staff(tenant), factories.customer_make().id, "250", "k1")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "cash.account")


def test_what_was_bought_is_invoiced_and_paid(till: Program) -> None:
    line = factories.line_make()
    cash(till, line.customer_id, "1500", "k1")
    [invoice] = till.get("/api/billing/invoices?status=paid").json()["invoices"]
    assert (invoice["total"], invoice["paid"], invoice["status"]) == ("1500.00", "1500.00", "paid")
    assert till.get("/api/billing/invoices?status=issued").json()["invoices"] == []
    assert till.get(f"/api/billing/invoices?customerId={factories.customer_make().id}").json()["total"] == 0


def test_revenue_is_told_by_method_and_local_day(till: Program, travel: Any) -> None:
    customer = factories.customer_make()
    cash(till, customer.id, "100", "k1")
    cash(till, customer.id, "50.50", "k2")
    travel(days=1)
    cash(till, customer.id, "1", "k3")
    found = till.get("/api/billing/revenue").json()
    assert (found["total"], found["count"]) == ("151.50", 3)
    assert found["byMethod"] == [{"method": "cash", "amount": "151.50", "count": 3}]
    assert [(day["amount"], day["count"]) for day in found["byDay"]] == [("150.50", 2), ("1.00", 1)]


@pytest.mark.parametrize(
    "question", ["since=2026-02-30", "since=2020-01-01", "since=2030-01-02&until=2030-01-01", "until=9999-12-31"]
)
def test_a_time_that_makes_no_sense_is_refused(question: str, till: Program) -> None:
    assert till.get(f"/api/billing/revenue?{question}").status_code == 400
