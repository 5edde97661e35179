"""The customer's app: his own and nobody else's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from billing.services import cash_receive
from ispbilling.kernel import clock, tenancy
from network.models import Line, Session
from tests import factories
from tests.programs import Program, subscriber


@pytest.fixture(autouse=True)
def hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]


@pytest.fixture
def line(tenant: Any) -> Any:
    factories.account_make("cash")
    return factories.line_make(name="Jane Wanjiku", phones=["0712345678"], username="jane")


@pytest.fixture
def app(tenant: Any, line: Any) -> Program:
    return subscriber(tenant, line)


def pay(line: Any, amount: int = 1500, key: str = "k") -> None:
    from decimal import Decimal

    cash_receive(customer_id=line.customer_id, amount=Decimal(amount), description="", key=key, actor=factories.ACTOR)


def test_the_profile_tells_everything_in_one_answer(app: Program, line: Any) -> None:
    pay(line, 1600)
    found = app.get("/api/client/profile").json()
    assert (found["name"], found["phone"], found["status"], found["pppoe_username"]) == (
        "Jane Wanjiku", "+254712345678", "active", "jane",
    )  # fmt: skip
    assert (found["due_amount"], found["wallet_balance"], found["monthly_bill"]) == ("0.00", "100.00", "1500.00")
    assert found["days_remaining"] in (27, 28, 29, 30)
    assert set(found["package"]) == {"id", "name", "speed", "price", "validity_days", "description"}


def test_the_profile_is_changed_but_not_the_telephone(app: Program) -> None:
    changed = app.ask("PATCH", "/api/client/profile", {"name": "Jane W.", "email": "jane@example.org"})
    assert (changed.json()["name"], changed.json()["email"]) == ("Jane W.", "jane@example.org")
    refused = app.ask("PATCH", "/api/client/profile", {"phone": "0799999999"})
    assert list(refused.json()["error"]["fields"]) == ["phone"]


def test_a_price_is_shown_before_it_is_paid(app: Program) -> None:
    options = app.get("/api/client/recharge-options").json()["options"]
    assert [(row["months"], row["discountPercent"]) for row in options] == [
        (1, "0.00"), (2, "0.00"), (3, "5.00"), (6, "10.00"), (12, "15.00"),
    ]  # fmt: skip
    found = app.get("/api/client/recharge-preview?months=3").json()
    assert (found["subtotal"], found["discountPercent"], found["discountAmount"], found["total"]) == (
        "4500.00", "5.00", "225.00", "4275.00",
    )  # fmt: skip
    assert app.get("/api/client/recharge-preview?months=4").json()["error"]["code"] == "recharge.periods"


def test_bills_follow_their_filters_and_add_up(app: Program, line: Any) -> None:
    pay(line)
    found = app.get("/api/client/bills?status=paid").json()
    assert (found["total"], found["limit"], found["totalPages"], found["bills"][0]["status"]) == (1, 20, 1, "paid")
    assert app.get("/api/client/bills?status=overdue").json()["total"] == 0
    assert app.get("/api/client/bills?year=2001").json()["total"] == 0
    assert app.get("/api/client/bills/statistics").json() == {
        "total": 1, "paid": 1, "unpaid": 0, "overdue": 0, "totalDue": "0.00", "currency": "KES",
    }  # fmt: skip


def test_a_payment_is_started_once_per_key(committed: None, settings: Any) -> None:
    """Outside a transaction: the gateway is called in between."""
    tenant = factories.tenant_make()
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        factories.account_make("cash")
        line = factories.line_make()
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        password = Line.objects.get(id=line.id).password.reveal()
    app = Program(f"{tenant.slug}.localhost").signed_in(username=line.username, password=password)
    [gateway] = app.get("/api/client/gateways").json()["gateways"]
    [plan] = app.get("/api/client/subscriptions").json()["subscriptions"]
    sent = {"subscriptionId": plan["id"], "months": 3, "gatewayId": gateway["id"], "phone": "0712345678"}
    answers = [app.post("/api/client/payments", sent, idempotency_key="tap") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert (answers[0].json()["amount"], answers[0].json()["status"]) == ("4275.00", "pending")
    assert app.get("/api/client/payments").json()["total"] == 1
    strange = app.post("/api/client/payments", {**sent, "subscriptionId": gateway["id"]})
    assert (strange.status_code, strange.json()["error"]["code"]) == (404, "subscription.unknown")


def test_a_payment_of_somebody_else_is_not_found(app: Program, line: Any, tenant: Any) -> None:
    pay(line)
    [row] = app.get("/api/client/payments").json()["payments"]
    assert app.get(f"/api/client/payments/{row['id']}").json() == row
    other = subscriber(tenant, factories.line_make())
    assert other.get(f"/api/client/payments/{row['id']}").status_code == 404


def test_use_is_counted_and_what_began_before_by_its_share(app: Program, line: Any) -> None:
    now = clock.machine_now()
    Session.objects.create(
        line=line, router=line.router, key="1", address="10.0.0.1", mac="", download_bytes=1024**3, upload_bytes=0,
        started_at=now - timedelta(hours=2), seen_at=now, readings=3,
    )  # fmt: skip
    Session.objects.create(
        line=line, router=line.router, key="2", address="10.0.0.1", mac="", upload_bytes=2 * 1024**3,
        started_at=now - timedelta(days=2), seen_at=now, readings=1,
    )  # fmt: skip
    found = app.get("/api/client/usage?period=day").json()
    assert (found["totalDownloadGB"], found["readings"]) == (1.0, 4)
    assert found["totalUploadGB"] == pytest.approx(1.0, abs=0.01)


def test_a_second_subscription_is_not_taken(app: Program) -> None:
    answer = app.post("/api/client/subscriptions", {"packageId": str(factories.package_make().id)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "subscription.exists")
    assert app.get("/api/client/subscriptions").json()["total"] == 1


def test_whoever_was_deleted_is_nobody(app: Program, line: Any) -> None:
    from dashboard.services import customer_remove

    customer_remove(customer_id=line.customer_id, actor=factories.ACTOR)
    assert app.get("/api/client/profile").status_code == 401


def test_the_lists_are_there(app: Program, line: Any) -> None:
    pay(line)
    assert app.get("/api/client/invoices").json()["total"] == 1
    assert app.get("/api/client/recharges").json() == {"recharges": []}
