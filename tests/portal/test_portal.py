"""What a subscriber can do by himself, and what he cannot."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from billing.models import Recharge
from ispbilling.kernel import clock, tenancy
from ispbilling.kernel.models import AuditEntry
from payments.models import Payment
from portal.models import LoginCode
from sms.models import Message
from tests import factories
from tests.portal.doors import code_of, signed_in


def ask_code(visitor: Client, phone: str) -> Any:
    return visitor.post("/client/sign-in/", {"phone": phone})


def give_code(visitor: Client, code: str) -> Any:
    return visitor.post("/client/sign-in/code/", {"code": code})


def test_a_customer_signs_in_with_the_code_sent_to_his_phone(visitor: Client) -> None:
    factories.customer_make(name="Jane Wanjiku", phones=["0712345678"])
    ask_code(visitor, "0712 345 678")
    answer = give_code(visitor, code_of(Message.objects.get()))
    assert answer["Location"] == "/client/"
    assert "Hello, Jane Wanjiku" in visitor.get("/client/").content.decode()


def test_a_code_works_once(visitor: Client) -> None:
    factories.customer_make(phones=["0712345678"])
    ask_code(visitor, "0712345678")
    code = code_of(Message.objects.get())
    give_code(visitor, code)
    ask_again = Client(HTTP_HOST=visitor.defaults["HTTP_HOST"])
    session = ask_again.session
    session["portal_phone"] = "+254712345678"
    session.save()
    assert give_code(ask_again, code).status_code == 422


def test_a_number_nobody_has_is_answered_alike_and_sent_nothing(visitor: Client) -> None:
    answer = ask_code(visitor, "0799999999")
    assert (answer.status_code, answer["Location"]) == (302, "/client/sign-in/code/")
    assert Message.objects.count() == 0
    assert give_code(visitor, "123456").status_code == 422


def test_after_five_wrong_guesses_even_the_right_code_is_wrong(visitor: Client) -> None:
    factories.customer_make(phones=["0712345678"])
    ask_code(visitor, "0712345678")
    code = code_of(Message.objects.get())
    for guess in range(5):
        give_code(visitor, f"{(int(code) + guess + 1) % 1_000_000:06d}")
    assert give_code(visitor, code).status_code == 422
    assert LoginCode.objects.get().guesses == 5


def test_an_old_code_is_wrong(visitor: Client) -> None:
    factories.customer_make(phones=["0712345678"])
    ask_code(visitor, "0712345678")
    LoginCode.objects.update(expires_at=clock.machine_now() - timedelta(seconds=1))
    assert give_code(visitor, code_of(Message.objects.get())).status_code == 422


def test_codes_are_not_handed_out_without_end(visitor: Client) -> None:
    factories.customer_make(phones=["0712345678"])
    answers = [ask_code(visitor, "0712345678").status_code for _ in range(6)]
    assert answers == [302, 302, 302, 302, 422, 422]


def test_the_code_is_hashed_and_staff_do_not_see_it(visitor: Client, tenant: Any) -> None:
    factories.customer_make(phones=["0712345678"])
    ask_code(visitor, "0712345678")
    code = code_of(Message.objects.get())
    assert code not in LoginCode.objects.get().code_hash
    staff = Client(HTTP_HOST=visitor.defaults["HTTP_HOST"])
    member = factories.staff_make(tenant, "owner")
    staff.force_login(member.user, "allauth.account.auth_backends.AuthenticationBackend")
    assert code not in staff.get("/dashboard/messages/").content.decode()


def test_signing_in_is_written_into_the_audit(visitor: Client) -> None:
    customer = factories.customer_make(phones=["0712345678"])
    ask_code(visitor, "0712345678")
    give_code(visitor, code_of(Message.objects.get()))
    assert AuditEntry.objects.get(verb="portal.sign_in").actor == f"customer:{customer.id}"


@pytest.mark.parametrize("phone", ["", "12", "hello", "x" * 500])
def test_what_is_no_phone_gets_a_clear_answer(visitor: Client, phone: str) -> None:
    assert ask_code(visitor, phone).status_code == 422


def test_prices_of_all_lengths_are_shown(visitor: Client, tenant: Any) -> None:
    line = factories.line_make()
    factories.account_make("mpesa")
    text = signed_in(visitor, tenant, line.customer_id).get("/client/").content.decode()
    for price in ("KES 1,500.00", "KES 3,000.00", "KES 4,275.00", "KES 8,100.00", "KES 15,300.00"):
        assert price in text
    assert "for 3 months" in text


def test_without_a_gateway_the_page_says_where_to_pay(visitor: Client, tenant: Any) -> None:
    line = factories.line_make()
    text = signed_in(visitor, tenant, line.customer_id).get("/client/").content.decode()
    assert "Please pay at the office." in text


@pytest.mark.parametrize("field", ["periods", "account", "phone", "key"])
@pytest.mark.parametrize("value", ["", "99", "nonsense", "-1"])
def test_a_garbled_order_is_refused_and_nothing_is_asked(visitor: Client, tenant: Any, field: str, value: str) -> None:
    line = factories.line_make()
    account = factories.account_make("mpesa")
    good = {
        "subscription": str(line.subscription_id),
        "periods": "1",
        "account": str(account.id),
        "phone": "0712345678",
        "key": "0123456789abcdef",
    }
    answer = signed_in(visitor, tenant, line.customer_id).post("/client/pay/", {**good, field: value})
    assert answer.status_code == 422
    assert (Payment.objects.count(), Recharge.objects.count()) == (0, 0)


def test_another_customers_subscription_cannot_be_paid_from_here(visitor: Client, tenant: Any) -> None:
    line, neighbour = factories.line_make(), factories.line_make()
    answer = signed_in(visitor, tenant, line.customer_id).post(
        "/client/pay/", {"subscription": str(neighbour.subscription_id)}
    )
    assert answer.status_code == 404


def test_a_landlord_switches_between_his_flats_and_to_nobody_elses(visitor: Client, tenant: Any) -> None:
    one = factories.customer_make(name="Flat One", phones=["0712345678"])
    two = factories.customer_make(name="Flat Two", phones=["0712345678"])
    stranger = factories.customer_make(name="Stranger")
    ask_code(visitor, "0712345678")
    give_code(visitor, code_of(Message.objects.get()))
    assert "Hello, Flat One" in visitor.get("/client/").content.decode()
    visitor.post("/client/switch/", {"customer": str(two.id)})
    assert "Hello, Flat Two" in visitor.get("/client/").content.decode()
    assert visitor.post("/client/switch/", {"customer": str(stranger.id)}).status_code == 404
    assert one.id != two.id


def test_signing_out_ends_it(visitor: Client, tenant: Any) -> None:
    line = factories.line_make()
    client = signed_in(visitor, tenant, line.customer_id)
    client.post("/client/sign-out/")
    assert client.get("/client/").status_code == 302


def test_forms_without_their_token_are_refused(tenant: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]
    strict = Client(HTTP_HOST=f"{tenant.slug}.localhost", enforce_csrf_checks=True)
    assert strict.post("/client/sign-in/", {"phone": "0712345678"}).status_code == 403


def test_an_address_of_no_provider_says_so(tenant: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]
    factories.tenant_make()
    assert Client(HTTP_HOST="nobody.localhost").get("/client/sign-in/").status_code == 404


def test_a_customer_is_found_by_name_code_phone_and_ending(tenant: Any) -> None:
    from customers.selectors import customers_found

    customer = factories.customer_make(name="Wanjikũ Njoroge", phones=["0712345678"])
    factories.customer_make(name="Somebody Else", phones=["0722000000"])
    for query in ("wanjiku", "njo wan", customer.code.lower(), "0712345678", "254712", "45678", "+254 712 345678"):
        assert list(customers_found(query)) == [customer], query
    with tenancy.tenant_context(tenant.id):
        assert list(customers_found("zzz")) == []
