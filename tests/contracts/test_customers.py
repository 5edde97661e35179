"""Customers by the API, in both seeds' shapes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import LedgerEntry, Receipt, Subscription
from billing.selectors import entitlement_now
from customers.models import Customer
from ispbilling.kernel.models import AuditEntry
from payments.models import Payment
from tests import factories
from tests.programs import Program, staff

ITEM = {
    "id", "code", "username", "name", "email", "phone", "connectionType", "status", "expiresAt", "location",
    "walletBalance", "currency", "package", "router", "isOnline", "createdAt",
}  # fmt: skip
LEGACY = {
    "id", "name", "email", "phone", "address", "status", "join_date", "balance", "package", "usage_percentage",
    "device_count", "last_payment_date", "created_at", "updated_at", "service_plan_id", "service_plan",
}  # fmt: skip


@pytest.fixture(autouse=True)
def hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]


@pytest.fixture
def owner(tenant: Any) -> Program:
    return staff(tenant)


def test_the_list_has_both_envelopes_and_the_newer_rows(owner: Program) -> None:
    line = factories.line_make(name="Jane Wanjiku", username="jane")
    found = owner.get("/api/customers").json()
    assert {name: value for name, value in found.items() if name != "customers"} == {
        "total": 1, "page": 1, "pageSize": 20, "pages": 1, "current_page": 1, "per_page": 20,
    }  # fmt: skip
    [row] = found["customers"]
    assert set(row) == ITEM
    assert (row["username"], row["name"], row["status"], row["walletBalance"]) == (
        "jane", "Jane Wanjiku", "pending", "0.00",
    )  # fmt: skip
    assert row["router"] == {"id": str(line.router_id), "name": line.router.name, "ipAddress": "127.0.0.1"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)", row["createdAt"])
    assert owner.get("/api/clients").json() == found


def test_the_list_has_the_older_shape_on_request(owner: Program) -> None:
    factories.line_make(name="Jane Wanjiku")
    found = owner.get("/api/customers?shape=legacy&per_page=5").json()
    assert {name: value for name, value in found.items() if name != "customers"} == {
        "total": 1, "pages": 1, "current_page": 1, "per_page": 5,
    }  # fmt: skip
    [row] = found["customers"]
    assert set(row) == LEGACY
    assert isinstance(row["package"], str)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+", row["created_at"])


@pytest.mark.parametrize("size", ["pageSize", "page_size", "per_page"])
def test_pages_are_cut_by_any_of_the_names(size: str, owner: Program) -> None:
    for _ in range(5):
        factories.customer_make()
    pages = [owner.get(f"/api/customers?{size}=2&page={page}").json() for page in (1, 2, 3, 4)]
    assert [len(page["customers"]) for page in pages] == [2, 2, 1, 0]
    assert len({row["id"] for page in pages for row in page["customers"]}) == 5
    assert pages[0]["pages"] == 3


@pytest.mark.parametrize(
    "question",
    ["page=1e99", "page=0", "page=-1", "page=x", "pageSize=101", "status=x", "packageId=x", "sort_by=password"],
)
def test_a_question_that_makes_no_sense_is_refused(question: str, owner: Program) -> None:
    assert owner.get(f"/api/customers?{question}").status_code == 400


def test_search_and_filters_narrow_the_list(owner: Program) -> None:
    jane = factories.line_make(name="Jane Wanjiku", username="jane77")
    factories.customer_make(name="Peter Otieno", phones=["0712345678"])

    def names(question: str) -> list[str]:
        return [row["name"] for row in owner.get(f"/api/customers?{question}").json()["customers"]]

    assert names("search=jane77") == names(f"packageId={jane.subscription.package_id}") == ["Jane Wanjiku"]
    assert names("search=0712345678") == ["Peter Otieno"]
    assert names("status=active") == []
    assert names("status=PENDING&sort_by=name&sort_order=asc") == ["Jane Wanjiku", "Peter Otieno"]
    assert names("connectionType=dhcp") == []


def test_every_status_is_found_by_its_filter(owner: Program, travel: Any) -> None:
    from datetime import timedelta

    from ispbilling.kernel import clock

    states = {
        "pending": {"state": "pending"},
        "active": {"state": "active", "expires_at": clock.now() + timedelta(days=1)},
        "expired": {"state": "grace", "expires_at": clock.now() - timedelta(days=1)},
        "suspended": {"state": "suspended", "expires_at": clock.now() - timedelta(days=1)},
        "disabled": {"state": "ended"},
    }
    for status, values in states.items():
        made = factories.subscription_make(customer=factories.customer_make(name=status))
        Subscription.objects.filter(id=made.id).update(**values)
    for status in states:
        rows = owner.get(f"/api/customers?status={status}").json()["customers"]
        assert [(row["name"], row["status"]) for row in rows] == [(status, status)]


def test_a_list_of_60_costs_as_many_queries_as_one_of_5(owner: Program) -> None:
    router, package = factories.router_make(), factories.package_make()

    def cost(count: int) -> int:
        for _ in range(count):
            factories.line_make(router=router, package=package)
        with CaptureQueriesContext(connection) as captured:
            assert owner.get("/api/customers?pageSize=100").status_code == 200
        return len([query for query in captured if not re.match(r"SAVEPOINT|RELEASE|ROLLBACK", query["sql"])])

    assert cost(5) == cost(55)


def test_a_customer_is_entered_with_his_line_and_no_answer_shows_its_password(owner: Program) -> None:
    router, package = factories.router_make(), factories.package_make()
    made = owner.post(
        "/api/customers",
        {
            "username": "jane", "password": "PLANTED-pppoe-1", "name": "Jane", "phone": "0712 345 678",
            "email": "jane@example.org", "connectionType": "PPPOE", "packageId": str(package.id),
            "nasId": str(router.id), "location": "Plot 7",
        },
    )  # fmt: skip
    assert made.status_code == 201, made.content
    body = made.json()
    assert (body["phone"], body["location"], body["package"]["downloadSpeed"]) == ("+254712345678", "Plot 7", 10_000)
    assert "PLANTED" not in made.content.decode() + owner.get(f"/api/customers/{body['id']}").content.decode()


def test_a_customer_without_a_line_needs_a_name_and_a_telephone_alone(owner: Program) -> None:
    assert owner.post("/api/customers", {"name": "Jane", "phone": "0712345678"}).status_code == 201
    wrong = owner.post("/api/customers", {"name": "Jane", "phone": "12"}).json()["error"]
    assert (wrong["code"], list(wrong["fields"])) == ("phone.invalid", ["phone"])


def test_an_email_address_is_one_customers(owner: Program) -> None:
    owner.post("/api/customers", {"name": "Jane", "phone": "0712345678", "email": "jane@example.org"})
    again = owner.post("/api/customers", {"name": "Joan", "phone": "0712345679", "email": "Jane@example.org"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "customer.email")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_touches_what_is_sent_and_is_written_down(method: str, owner: Program) -> None:
    customer = factories.customer_make(phones=["0712345678", "0722345678"], address="Plot 1")
    changed = owner.ask(method, f"/api/customers/{customer.id}", {"name": "Joan", "phone": "0733345678"})
    assert (changed.json()["name"], changed.json()["phone"], changed.json()["location"]) == (
        "Joan", "+254733345678", "Plot 1",
    )  # fmt: skip
    entry = AuditEntry.objects.get(verb="customer.edit")
    assert (entry.old["name"], entry.new["name"]) == ("Jane Wanjiku", "Joan")
    assert entry.new["phones"] == ["+254733345678", "+254722345678"]


def test_a_deleted_customer_is_hidden_blocked_and_comes_back_as_he_was(owner: Program) -> None:
    line = factories.line_make()
    factories.account_make("cash")
    path = f"/api/customers/{line.customer_id}"
    owner.post(f"{path}/recharge", {"amount": "1500"})
    assert owner.get(path).json()["status"] == "active"
    assert owner.ask("DELETE", path).json() == {"success": True}
    assert [owner.ask(method, path, {}).status_code for method in ("GET", "PATCH", "DELETE")] == [404] * 3
    assert owner.get("/api/customers").json()["total"] == 0
    assert owner.get("/api/customers?deleted=true").json()["customers"][0]["status"] == "disabled"
    assert entitlement_now(Subscription.objects.get()).level == "blocked"
    back = owner.post(f"{path}/restore")
    assert (back.status_code, back.json()["status"]) == (200, "active")
    assert entitlement_now(Subscription.objects.get()).level == "full"
    assert Subscription.objects.get().next_change_at == Subscription.objects.get().expires_at
    assert owner.post(f"{path}/restore").status_code == 409


def test_who_ran_out_while_he_was_deleted_is_due_when_he_comes_back(owner: Program, travel: Any) -> None:
    from billing.services import cycle_run

    line = factories.line_make()
    factories.account_make("cash")
    path = f"/api/customers/{line.customer_id}"
    owner.post(f"{path}/recharge", {"amount": "1500"})
    owner.ask("DELETE", path)
    travel(days=40)
    cycle_run()
    assert Subscription.objects.get().state == "active"
    owner.post(f"{path}/restore")
    cycle_run()
    assert Subscription.objects.get().state == "suspended"


def test_cash_buys_what_has_run_out_and_is_booked_once_per_key(owner: Program) -> None:
    line = factories.line_make()
    factories.account_make("cash")
    path = f"/api/customers/{line.customer_id}/recharge"
    sent = {"amount": "1600.00", "description": "at the counter"}
    answers = [owner.post(path, sent, idempotency_key="till-1").json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["newBalance"] == "100.00"
    assert (Payment.objects.count(), Receipt.objects.count()) == (1, 1)
    other = owner.post(path, {"amount": "1.00"}, idempotency_key="till-1")
    assert other.json()["error"]["code"] == "idempotency.mismatch"
    found = owner.get(f"/api/customers/{line.customer_id}/payments").json()
    assert (found["total"], found["totalPaid"]) == (1, "1600.00")
    assert set(found["payments"][0]) == {
        "id", "amount", "currency", "method", "status", "transactionId", "description", "createdAt",
    }  # fmt: skip


def test_the_event_of_cash_finds_it_booked(owner: Program, tenant: Any) -> None:
    from ispbilling.kernel import outbox

    line = factories.line_make()
    factories.account_make("cash")
    owner.post(f"/api/customers/{line.customer_id}/recharge", {"amount": "1500"})
    entries = LedgerEntry.objects.count()
    for shard in range(8):
        outbox.drain(shard)
    assert (Receipt.objects.count(), LedgerEntry.objects.count()) == (1, entries)


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "NaN", "1e99", "x", None])
def test_what_is_no_amount_is_not_booked(amount: Any, owner: Program) -> None:
    customer = factories.customer_make()
    factories.account_make("cash")
    assert owner.post(f"/api/customers/{customer.id}/recharge", {"amount": amount}).status_code == 400
    assert Receipt.objects.count() == 0


def test_money_is_not_shown_to_whoever_may_not_see_it(tenant: Any) -> None:
    factories.line_make()
    technician = staff(tenant, "technician")
    [row] = technician.get("/api/customers").json()["customers"]
    assert row["walletBalance"] is None
    assert technician.get(f"/api/customers/{row['id']}").json()["totalSpent"] is None
    assert technician.get(f"/api/customers/{row['id']}/payments").status_code == 403


def test_the_parts_of_a_customer_have_their_shapes(owner: Program) -> None:
    line = factories.line_make()
    path = f"/api/customers/{line.customer_id}"
    assert owner.get(f"{path}/subscriptions").json()["subscriptions"][0]["status"] == "pending"
    assert owner.get(f"{path}/invoices").json()["invoices"] == []
    assert owner.get(f"{path}/sessions").json()["total"] == 0
    assert owner.get(f"{path}/live-status").json() == {
        "isOnline": False, "session": None, "lastSeen": None, "lastSeenAt": None,
    }  # fmt: skip
    assert owner.get(f"{path}/why").json()["customer"]["id"] == str(line.customer_id)


def test_a_customer_is_held(owner: Program) -> None:
    line = factories.line_make()
    from datetime import timedelta

    from ispbilling.kernel import clock

    until = (clock.now() + timedelta(days=3)).isoformat()
    held = owner.ask("PUT", f"/api/customers/{line.customer_id}/hold", {"until": until, "reason": "promised"})
    assert (held.status_code, held.json()["success"]) == (200, True)
    assert Subscription.objects.get().held_until is not None
    assert Customer.objects.get().deleted_at is None
