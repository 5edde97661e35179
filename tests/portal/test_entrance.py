"""The door by name and password: who comes in, and what nobody learns there."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from network.models import Line
from portal.models import CustomerSignIn
from tests import factories

WORDS = "Name and password do not fit together."


def password_of(line: Line) -> str:
    return str(Line.objects.get(id=line.id).password.reveal())


def come_in(visitor: Client, name: str, password: str) -> Any:
    return visitor.post("/client/sign-in/password/", {"name": name, "password": password})


@pytest.mark.parametrize("by", ["name", "e-mail", "telephone"])
def test_the_password_of_the_line_opens_by_name_e_mail_and_telephone(visitor: Client, by: str) -> None:
    line = factories.line_make(name="Jane Wanjiku", phones=["0712345678"], email="jane@example.org")
    name = {"name": line.username, "e-mail": "Jane@example.org", "telephone": "0712 345 678"}[by]
    answer = come_in(visitor, name, password_of(line))
    assert answer["Location"] == "/client/"
    assert "Hello, Jane Wanjiku" in visitor.get("/client/").content.decode()


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(visitor: Client) -> None:
    line = factories.line_make()
    wrong = come_in(visitor, line.username, "not-his-password")
    nobody = come_in(visitor, "c9999", "not-his-password")
    assert (wrong.status_code, nobody.status_code) == (422, 422)
    assert WORDS in wrong.content.decode()
    assert WORDS in nobody.content.decode()


def test_after_five_wrong_tries_the_right_password_must_wait_too(visitor: Client) -> None:
    line = factories.line_make()
    tried = [come_in(visitor, line.username, "wrong").status_code for _ in range(7)]
    assert tried == [422] * 5 + [429] * 2
    answer = come_in(visitor, line.username, password_of(line))
    assert answer.status_code == 429
    assert "Please wait a quarter of an hour." in answer.content.decode()


def test_a_name_nobody_has_is_locked_after_as_many_tries(visitor: Client) -> None:
    assert [come_in(visitor, "c9999", "wrong").status_code for _ in range(6)] == [422] * 5 + [429]


def test_another_name_from_the_same_street_is_not_locked(visitor: Client) -> None:
    line, other = factories.line_make(), factories.line_make()
    for _ in range(6):
        come_in(visitor, line.username, "wrong")
    assert come_in(visitor, other.username, password_of(other)).status_code == 302


def test_the_same_name_at_two_providers_opens_each_ones_own(visitor: Client, tenant: Any) -> None:
    from ispbilling.kernel import tenancy

    own = factories.line_make(username="jane", password="same-password", name="Jane of Ours")
    other = factories.tenant_make()
    with tenancy.tenant_context(other.id):
        factories.line_make(username="jane", password="same-password", name="Jane of Theirs")
    come_in(visitor, "jane", "same-password")
    assert "Hello, Jane of Ours" in visitor.get("/client/").content.decode()
    assert str(visitor.session["portal_customer"][1]) == str(own.customer_id)


def test_two_customers_whom_it_fits_are_both_kept_out(visitor: Client) -> None:
    for _ in range(2):
        factories.line_make(username="jane", password="same-password", router=factories.router_make())
    answer = come_in(visitor, "jane", "same-password")
    assert answer.status_code == 422
    assert "Several customers fit." in answer.content.decode()


def test_at_a_host_of_nobody_there_is_no_door(tenant: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]
    factories.tenant_make()
    line = factories.line_make()
    nobody = Client(HTTP_HOST="nobody.localhost")
    assert come_in(nobody, line.username, password_of(line)).status_code == 404


def test_codes_for_many_telephones_from_one_address_have_an_end(visitor: Client) -> None:
    sent = [visitor.post("/client/sign-in/", {"phone": f"07120{number:05d}"}).status_code for number in range(61)]
    assert sent == [302] * 60 + [429]


def test_signing_in_is_listed_with_the_browser(visitor: Client) -> None:
    line = factories.line_make()
    visitor.post(
        "/client/sign-in/password/",
        {"name": line.username, "password": password_of(line)},
        HTTP_USER_AGENT="Mozilla/5.0 (Android 15; Mobile; rv:147.0) Gecko/147.0 Firefox/147.0",
    )
    assert CustomerSignIn.objects.get(customer_id=line.customer_id).address == "127.0.0.1"
    assert "Firefox on Android" in visitor.get("/client/profile/").content.decode()
