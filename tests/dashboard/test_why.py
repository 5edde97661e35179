"""The answer and the timeline as staff, programs and the customer himself get them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from customers.models import Customer
from ispbilling.kernel import clock, tenancy
from network.models import Acknowledgement, Line, Router, Session
from network.services import lines_refresh
from portal.auth import SESSION_KEY
from tests import factories
from tests.billing.test_receipts import paid

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def line(tenant: Any, settings: Any) -> Line:
    """Paid, let in by its router and online."""
    settings.ALLOWED_HOSTS = [".localhost"]
    made = factories.line_make(username="jane")
    paid(made.subscription, "1500", number="TAF0000001")
    lines_refresh(subscription_id=made.subscription_id)
    Router.objects.update(is_up=True, last_seen_at=clock.machine_now())
    Line.objects.update(applied_generation=2, applied_level="full", applied_at=clock.now())
    made.refresh_from_db()
    Acknowledgement.of(made, clock.now()).save()
    Session.objects.create(
        line=made, router=made.router, key="1", address="10.0.0.5", mac="", started_at=clock.machine_now(),
        seen_at=clock.machine_now(),
    )  # fmt: skip
    return made


def staff(tenant: Any, role: str) -> Client:
    client = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    client.force_login(factories.staff_make(tenant, role).user, BACKEND)
    return client


def api(line: Line) -> str:
    return f"/api/customers/{line.customer_id}/why"


def panel(line: Line) -> str:
    return f"/dashboard/customers/{line.customer_id}/why/"


def test_a_program_gets_the_answer_line_by_line_and_the_timeline(tenant: Any, line: Line) -> None:
    body = staff(tenant, "owner").get(api(line)).json()
    assert (body["code"], body["level"], body["reason"]) == ("online", "full", "paid")
    assert (body["is_online"], body["is_entitled"]) == (True, True)
    assert body["sentence"].startswith("Paid until")
    assert [one["code"] for one in body["lines"]] == ["online"]
    assert [step["kind"] for step in body["timeline"]] == [
        "session_started", "acknowledged", "subscription", "wallet", "invoice", "booked", "receipt", "subscription",
    ]  # fmt: skip
    receipt = body["timeline"][-2]
    assert (receipt["amount"], receipt["currency"]) == ("1500.00", "KES")
    assert all(datetime.fromisoformat(step["at"]).tzinfo is not None for step in body["timeline"])
    assert {step["chain"] for step in body["timeline"][:-1]} == {body["chains"][0]["id"]}
    assert body["chains"][0]["seconds"] >= 0
    assert body["timeline_next"] is None


def test_whether_he_is_online_behind_a_router_that_is_away_nobody_claims_to_know(tenant: Any, line: Line) -> None:
    Router.objects.update(is_up=False)
    owner = staff(tenant, "owner")
    body = owner.get(api(line)).json()
    assert (body["code"], body["is_online"], body["is_entitled"]) == ("router_silent", None, True)
    assert "not known" in owner.get(panel(line)).content.decode()


def test_a_program_turns_the_pages_by_the_instant_it_was_given(tenant: Any, line: Line) -> None:
    for number in range(30):
        paid(line.subscription, "1500", number=f"N{number}")
    owner = staff(tenant, "owner")
    first = owner.get(api(line)).json()
    assert first["timeline_next"] is not None
    second = owner.get(api(line), {"before": first["timeline_next"]}).json()
    assert second["timeline"][0]["at"] < first["timeline"][-1]["at"]
    for nonsense in ("x", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-01-01", "\x00"):
        assert owner.get(api(line), {"before": nonsense}).status_code == 200


def test_whoever_may_not_see_money_gets_the_answer_without_it(tenant: Any, line: Line) -> None:
    technician = staff(tenant, "technician")
    body = technician.get(api(line)).json()
    assert body["code"] == "online"
    assert {step["kind"] for step in body["timeline"]} == {"session_started", "acknowledged", "subscription"}
    for text in (technician.get(api(line)).content.decode(), technician.get(panel(line)).content.decode()):
        assert "1500" not in text
        assert "1,500" not in text
        assert "TAF0000001" not in text


def test_a_program_is_refused_in_json(tenant: Any, line: Line) -> None:
    nobody = Client(HTTP_HOST=f"{tenant.slug}.localhost").get(api(line))
    reseller = staff(tenant, "reseller").get(api(line))
    unknown = staff(tenant, "owner").get(f"/api/customers/{uuid4()}/why")
    nowhere = staff(tenant, "owner").get("/api/nothing")
    answers = [nobody, reseller, unknown, nowhere]
    assert [one.status_code for one in answers] == [401, 403, 404, 404]
    codes = ["auth.required", "auth.forbidden", "customer.unknown", "not_found"]
    assert [one.json()["error"]["code"] for one in answers] == codes
    assert all(set(one.json()["error"]) == {"code", "message", "fields"} for one in answers)


def test_another_tenants_customer_is_not_found(tenant: Any, line: Line) -> None:
    other = factories.tenant_make()
    stranger = staff(other, "owner")
    with tenancy.tenant_context(other.id):
        answer = stranger.get(api(line))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "customer.unknown")


def test_staff_see_the_sentence_first_and_the_chain_of_a_payment(tenant: Any, line: Line) -> None:
    owner = staff(tenant, "owner")
    assert panel(line) in owner.get(f"/dashboard/customers/{line.customer_id}/").content.decode()
    text = owner.get(panel(line)).content.decode()
    assert text.index("Paid until") < text.index("Timeline") < text.index("10.0.0.5") < text.index("KES 1,500.00 paid")
    assert text.count("TAF0000001") >= 7
    assert "online after" in text


def test_messages_stand_in_the_timeline_of_those_who_may_see_them(tenant: Any, line: Line) -> None:
    from sms.services import message_send

    values = {"code": "987654"}
    message_send(
        code="portal_code", key="k", to="+254712345678", customer_id=line.customer_id, values=values, is_secret=True
    )
    kinds = {role: staff(tenant, role).get(api(line)) for role in ("support", "technician")}
    assert "message" in [step["kind"] for step in kinds["support"].json()["timeline"]]
    assert "message" not in [step["kind"] for step in kinds["technician"].json()["timeline"]]
    assert "987654" not in kinds["support"].content.decode()


def at_home(tenant: Any, customer: Customer) -> str:
    visitor = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    session = visitor.session
    session[SESSION_KEY] = [str(tenant.id), str(customer.id)]
    session.save()
    return visitor.get("/client/").content.decode()


def test_the_customer_reads_how_it_stands_in_his_own_words(tenant: Any, line: Line) -> None:
    assert "You are online." in at_home(tenant, line.customer)
    Router.objects.update(is_up=False, last_error="PLANTED error", name="PLANTED router")
    Line.objects.update(applied_generation=1, applied_level="walled", last_error="PLANTED trouble")
    text = at_home(tenant, line.customer)
    assert "something is wrong at our end" in text
    assert "PLANTED" not in text


def test_a_customer_in_grace_is_not_told_that_he_is_paid(tenant: Any, line: Line, travel: Any) -> None:
    from billing.services import policy_set

    policy_set(changes={"grace_hours": 48}, actor=factories.ACTOR)
    travel(days=31, hours=1)
    text = at_home(tenant, line.customer)
    assert "Your time ran out on" in text
    assert "You are paid until" not in text
