"""Becoming a customer by oneself, and asking for a line where none can be made."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from billing.models import Subscription
from customers.models import Customer
from ispbilling.kernel.models import AuditEntry
from network.models import Line
from portal.models import Lead
from portal.services import lead_accept, settings_set, sign_up
from sms.models import Message
from tests import factories
from tests.portal.doors import last_code


def prove(visitor: Client, phone: str = "0712345678") -> Any:
    visitor.post("/client/sign-up/", {"phone": phone})
    return visitor.post("/client/sign-up/code/", {"code": last_code()})


def details(visitor: Client, package: Any, **given: str) -> Any:
    values = {"name": "Amina Hassan", "address": "Kahawa, House 7", "package": str(package.id)}
    return visitor.post("/client/sign-up/details/", {**values, **given})


def test_a_stranger_gets_a_line_and_a_page_to_pay_on(visitor: Client) -> None:
    router, package = factories.router_make(), factories.package_make()
    factories.account_make("mpesa")
    assert prove(visitor)["Location"] == "/client/sign-up/details/"
    assert details(visitor, package)["Location"] == "/client/welcome/"
    line = Line.objects.get()
    assert (line.router_id, line.customer.name, line.level) == (router.id, "Amina Hassan", "walled")
    page = visitor.get("/client/welcome/").content.decode()
    assert line.username in page
    assert line.password.reveal() in page
    assert "Hello, Amina Hassan" in visitor.get("/client/").content.decode()


def test_the_password_is_shown_once(visitor: Client) -> None:
    factories.router_make()
    prove(visitor)
    details(visitor, factories.package_make())
    visitor.get("/client/welcome/")
    assert visitor.get("/client/welcome/")["Location"] == "/client/"


def test_what_is_good_about_a_package_is_read_before_it_is_chosen(visitor: Client) -> None:
    factories.package_make(description="For a family.", features=["Free router", "No cap"])
    prove(visitor)
    page = visitor.get("/client/sign-up/details/").content.decode()
    assert [text in page for text in ("For a family.", "Free router", "No cap")] == [True] * 3


def test_whoever_is_a_customer_already_is_let_in_as_he_is(visitor: Client) -> None:
    factories.customer_make(name="Jane Wanjiku", phones=["0712345678"])
    assert prove(visitor)["Location"] == "/client/"
    assert Customer.objects.count() == 1


def test_sent_twice_it_makes_one_customer(visitor: Client) -> None:
    factories.router_make()
    package = factories.package_make()
    prove(visitor)
    for _ in range(2):
        sign_up(number="+254712345678", name="Amina", address="Kahawa", package_id=package.id)
    assert (Customer.objects.count(), Subscription.objects.count(), Line.objects.count()) == (1, 1, 1)


def test_without_a_router_to_choose_staff_get_a_request(visitor: Client) -> None:
    factories.router_make(), factories.router_make()
    package = factories.package_make()
    prove(visitor)
    assert details(visitor, package)["Location"] == "/client/sign-up/sent/"
    lead = Lead.objects.get()
    assert (lead.name, lead.phone, lead.package_id, lead.state) == (
        "Amina Hassan",
        "+254712345678",
        package.id,
        "open",
    )
    assert Customer.objects.count() == 0
    assert "has your number and calls you" in visitor.get("/client/sign-up/sent/").content.decode()


def test_a_second_request_of_the_same_telephone_replaces_the_first(visitor: Client) -> None:
    package = factories.package_make()
    for name in ("Amina", "Amina Hassan"):
        sign_up(number="+254712345678", name=name, address="Kahawa", package_id=package.id)
    assert Lead.objects.get().name == "Amina Hassan"


def test_the_tenants_choice_of_a_router_is_taken(visitor: Client) -> None:
    factories.router_make()
    wanted, package = factories.router_make(), factories.package_make()
    settings_set(is_sign_up_open=True, router_id=wanted.id, actor=factories.ACTOR)
    made = sign_up(number="+254712345678", name="Amina", address="Kahawa", package_id=package.id)
    assert made.line is not None
    assert made.line.router_id == wanted.id


def test_a_package_that_is_not_on_sale_is_not_taken(visitor: Client) -> None:
    factories.router_make()
    hidden = factories.package_make()
    type(hidden).objects.update(is_active=False)
    factories.package_make()
    prove(visitor)
    assert details(visitor, hidden).status_code == 422
    assert Customer.objects.count() == 0


def test_details_without_a_proven_telephone_lead_back(visitor: Client) -> None:
    factories.router_make()
    assert details(visitor, factories.package_make())["Location"] == "/client/sign-up/"
    visitor.post("/client/sign-up/", {"phone": "0712345678"})
    assert details(visitor, factories.package_make())["Location"] == "/client/sign-up/"


def test_where_sign_up_is_closed_nothing_is_sent(visitor: Client) -> None:
    settings_set(is_sign_up_open=False, router_id=None, actor=factories.ACTOR)
    assert visitor.post("/client/sign-up/", {"phone": "0712345678"}).status_code == 404
    assert Message.objects.count() == 0
    assert "/client/sign-up/" not in visitor.get("/client/sign-in/").content.decode()


def test_where_sign_up_is_closed_programs_are_refused_too(visitor: Client, tenant: Any) -> None:
    sent = {"phone": "0712345678", "name": "Amina"}
    visitor.post("/api/auth/register", sent, content_type="application/json")
    settings_set(is_sign_up_open=False, router_id=None, actor=factories.ACTOR)
    answer = visitor.post("/api/auth/register", {**sent, "code": last_code()}, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "sign_up.closed")
    assert Customer.objects.count() == 0


def test_codes_for_strangers_have_an_end(visitor: Client) -> None:
    sent = [visitor.post("/client/sign-up/", {"phone": f"07120{number:05d}"}).status_code for number in range(12)]
    assert sent == [302] * 10 + [429] * 2


@pytest.fixture
def owner(visitor: Client, tenant: Any) -> Client:
    visitor.force_login(
        factories.staff_make(tenant, "owner").user, "allauth.account.auth_backends.AuthenticationBackend"
    )
    return visitor


def lead_make() -> Lead:
    made = sign_up(number="+254712345678", name="Amina", address="Kahawa", package_id=factories.package_make().id).lead
    assert made is not None
    return made


def test_staff_open_the_line_of_a_request(owner: Client) -> None:
    lead = lead_make()
    router = factories.router_make()
    assert "Amina" in owner.get("/dashboard/leads/").content.decode()
    answer = owner.post(f"/dashboard/leads/{lead.id}/", {"action": "open", "router": str(router.id)})
    line = Line.objects.get()
    assert answer["Location"] == f"/dashboard/customers/{line.customer_id}/"
    lead.refresh_from_db()
    assert (lead.state, line.customer.name) == ("done", "Amina")


def test_a_request_is_opened_once(owner: Client) -> None:
    from ispbilling.kernel.errors import Conflict

    lead = lead_make()
    router = factories.router_make()
    lead_accept(lead_id=lead.id, router_id=router.id, actor=factories.ACTOR)
    with pytest.raises(Conflict):
        lead_accept(lead_id=lead.id, router_id=router.id, actor=factories.ACTOR)


def test_staff_drop_a_request(owner: Client) -> None:
    lead = lead_make()
    owner.post(f"/dashboard/leads/{lead.id}/", {"action": "drop"})
    lead.refresh_from_db()
    assert lead.state == "dropped"


def test_the_settings_are_kept_and_written_down(owner: Client) -> None:
    router = factories.router_make()
    owner.post("/dashboard/settings/portal/", {"router": str(router.id)})
    entry = AuditEntry.objects.get(verb="portal.settings")
    assert entry.new == {"is_sign_up_open": False, "sign_up_router": str(router.id)}
