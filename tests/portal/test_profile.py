"""What a subscriber changes about himself, and what he must show his telephone for."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from customers.models import Customer
from ispbilling.kernel.models import AuditEntry
from network.models import Line
from portal.models import CustomerSignIn
from tests import factories
from tests.portal.doors import confirmed, last_code, signed_in


@pytest.fixture
def line() -> Line:
    return Line.objects.get(id=factories.line_make(name="Jane Wanjiku", phones=["0712345678"]).id)


@pytest.fixture
def jane(visitor: Client, tenant: Any, line: Line) -> Client:
    return signed_in(visitor, tenant, line.customer_id)


def test_e_mail_address_and_language_are_changed(jane: Client, line: Line) -> None:
    answer = jane.post("/client/profile/", {"email": "jane@example.org", "address": "Kahawa", "language": "sw"})
    assert answer["Location"] == "/client/profile/"
    customer = Customer.objects.get(id=line.customer_id)
    assert (customer.name, customer.email, customer.address, customer.language) == (
        "Jane Wanjiku",
        "jane@example.org",
        "Kahawa",
        "sw",
    )
    assert 'lang="sw"' in jane.get("/client/").content.decode()


def test_an_e_mail_address_of_another_is_refused(jane: Client) -> None:
    factories.customer_make(email="jane@example.org")
    assert jane.post("/client/profile/", {"email": "jane@example.org"}).status_code == 422


def test_the_password_of_the_line_is_behind_a_code(jane: Client, line: Line) -> None:
    assert jane.get("/client/profile/line/")["Location"] == "/client/profile/line/confirm/"
    confirmed(jane)
    assert line.password.reveal() in jane.get("/client/profile/line/").content.decode()
    assert AuditEntry.objects.get(verb="line.reveal").actor == f"customer:{line.customer_id}"


def test_a_wrong_code_confirms_nothing(jane: Client) -> None:
    jane.post("/client/profile/line/confirm/")
    wrong = f"{(int(last_code()) + 1) % 1_000_000:06d}"
    assert jane.post("/client/profile/line/confirm/", {"code": wrong}).status_code == 422
    assert jane.get("/client/profile/line/").status_code == 302


def test_another_password_is_wished_of_the_router(jane: Client, line: Line) -> None:
    confirmed(jane)
    answer = jane.post("/client/profile/line/", {"line": str(line.id), "password": "new-password-1"})
    assert answer["Location"] == "/client/profile/line/"
    changed = Line.objects.get(id=line.id)
    assert (changed.password.reveal(), changed.generation) == ("new-password-1", line.generation + 1)


@pytest.mark.parametrize("password", ["short", "with space in", "ünïcode-password", "x" * 41, "tab\tpassword"])
def test_a_password_no_box_can_dial_with_is_refused(jane: Client, line: Line, password: str) -> None:
    confirmed(jane)
    answer = jane.post("/client/profile/line/", {"line": str(line.id), "password": password})
    assert answer.status_code == 422
    assert Line.objects.get(id=line.id).generation == line.generation


def test_another_customers_line_is_not_found(jane: Client) -> None:
    neighbour = factories.line_make()
    confirmed(jane)
    answer = jane.post("/client/profile/line/", {"line": str(neighbour.id), "password": "new-password-1"})
    assert answer.status_code == 404


def numbers(line: Line) -> list[str]:
    customer = Customer.objects.get(id=line.customer_id)
    return list(customer.phones.order_by("-is_primary", "id").values_list("number", flat=True))


def test_a_new_telephone_proves_itself(jane: Client, line: Line) -> None:
    confirmed(jane)
    jane.post("/client/profile/telephones/", {"phone": "0722000000"})
    assert numbers(line) == ["+254712345678"]
    jane.post("/client/profile/telephones/code/", {"code": last_code()})
    assert numbers(line) == ["+254712345678", "+254722000000"]


def test_without_a_code_no_telephone_is_changed(jane: Client, line: Line) -> None:
    jane.post("/client/profile/telephones/", {"phone": "0722000000"})
    jane.post("/client/profile/telephones/change/", {"number": "+254712345678", "action": "remove"})
    assert numbers(line) == ["+254712345678"]


def test_the_only_telephone_stays(jane: Client, line: Line) -> None:
    confirmed(jane)
    answer = jane.post("/client/profile/telephones/change/", {"number": "+254712345678", "action": "remove"})
    assert answer.status_code == 409
    assert numbers(line) == ["+254712345678"]


def test_signing_out_everywhere_else_leaves_this_browser_alone(visitor: Client, line: Line) -> None:
    browsers = [Client(HTTP_HOST=visitor.defaults["HTTP_HOST"]) for _ in range(2)]
    for browser in browsers:
        browser.post("/client/sign-in/password/", {"name": line.username, "password": line.password.reveal()})
    browsers[0].post("/client/profile/sign-ins/end/")
    assert [browser.get("/client/").status_code for browser in browsers] == [200, 302]
    assert CustomerSignIn.objects.count() == 1


def test_another_customers_session_cannot_be_ended(jane: Client, visitor: Client) -> None:
    neighbour = Line.objects.get(id=factories.line_make().id)
    other = Client(HTTP_HOST=visitor.defaults["HTTP_HOST"])
    other.post("/client/sign-in/password/", {"name": neighbour.username, "password": neighbour.password.reveal()})
    wanted = CustomerSignIn.objects.get(customer_id=neighbour.customer_id).id
    assert jane.post("/client/profile/sign-ins/end/", {"sign_in": str(wanted)}).status_code == 404
    assert other.get("/client/").status_code == 200
