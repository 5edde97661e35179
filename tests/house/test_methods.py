"""What each address does with methods it was not made for, and with forms that are not its own."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from tests.house.conftest import Two
from tests.house.samples import POST_ONLY, SAMPLES, form
from tests.house.world import ADDRESSES, BY_NAME, HOOK, Address, House, changed, fingerprint, person, plain, send

#: Addresses that answer every method as they answer GET. A new one must say which methods it takes; this list only
#: shrinks: whoever gives one of these its ``require_safe`` or ``require_http_methods`` takes it off.
TAKES_ANY_METHOD = {
    "healthz",
    "readyz",
    "dashboard:events",
}
NOT_OFFERED = ("PUT", "PATCH", "DELETE", "PROPFIND")


@pytest.mark.parametrize("address", ADDRESSES, ids=str)
def test_a_method_that_is_not_offered_changes_nothing(houses: Two, address: Address) -> None:
    before = fingerprint()
    asked = send(houses.a.client(person(address)), "GET", houses.a.path(address))
    answers = {
        method: send(houses.a.client(person(address)), method, houses.a.path(address)).status_code
        for method in NOT_OFFERED
    }
    assert changed(before) == []
    if address.name in TAKES_ANY_METHOD:
        assert set(answers.values()) == {asked.status_code}, "now it is strict: take it off the list"
    elif hasattr(address.view, "view_class"):  # a library's, which takes PUT for POST and sends others elsewhere
        assert set(answers.values()) <= {405, asked.status_code}
    else:
        assert set(answers.values()) == {405}


@pytest.mark.parametrize("address", ADDRESSES, ids=str)
def test_head_is_get_without_its_body(houses: Two, address: Address) -> None:
    before = fingerprint()
    asked = send(houses.a.client(person(address)), "GET", houses.a.path(address))
    answer = send(houses.a.client(person(address)), "HEAD", houses.a.path(address))
    assert (answer.status_code, answer.content) == (asked.status_code, b"")
    assert answer.get("Location") == asked.get("Location")
    assert changed(before) == []


@pytest.mark.parametrize("address", ADDRESSES, ids=str)
def test_options_and_trace_change_nothing_and_repeat_nothing(houses: Two, address: Address) -> None:
    before = fingerprint()
    for method in ("OPTIONS", "TRACE"):
        answer = send(houses.a.client(person(address)), method, houses.a.path(address), HTTP_X_SAID="said-7d1f")
        assert answer.status_code in (200, 302, 404, 405)
        assert b"said-7d1f" not in answer.content
    assert changed(before) == []


def test_an_address_for_forms_alone_refuses_questions(houses: Two) -> None:
    posting = [BY_NAME[name] for name in POST_ONLY | {"portal:sign_out"}] + HOOK + [BY_NAME["payments_mpesa_alias"]]
    before = fingerprint()
    for address in posting:
        for method in ("GET", "HEAD", "OPTIONS"):
            answer = send(houses.a.client(person(address)), method, houses.a.path(address))
            assert (answer.status_code, answer["Allow"]) == (405, "POST"), address.name
    assert changed(before) == []


def test_a_method_said_in_a_header_or_a_field_is_not_believed(houses: Two) -> None:
    path = houses.a.path(BY_NAME["dashboard:event_retry"])
    before = fingerprint()
    browser = houses.a.client("owner")
    assert browser.get(path, HTTP_X_HTTP_METHOD_OVERRIDE="POST").status_code == 405
    assert browser.get(path, {"_method": "POST"}).status_code == 405
    assert changed(before) == []


# --- Forms ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [one for one in ADDRESSES if one not in HOOK], ids=str)
def test_a_form_without_its_token_is_refused(houses: Two, address: Address) -> None:
    """Only gateways send without one, and what they say is checked otherwise."""
    if address.name == "payments_mpesa_alias":
        return
    before = fingerprint()
    browser: Client = houses.a.client(person(address), enforce_csrf_checks=True)
    answer = browser.post(houses.a.path(address), form(houses.a, address))
    assert answer.status_code == 403
    assert changed(before) == []


def swapped(house: House, other: House, values: dict[str, Any]) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(field, the form with the other tenant's row in it, the form with nobody's) for every id in a form."""
    own = {str(row["id"]): model for model, row in house.maker.rows.items() if "id" in row}
    return [
        (name, {**values, name: str(other.maker.row(own[value])["id"])}, {**values, name: str(uuid4())})
        for name, value in values.items()
        if value in own and str(other.maker.row(own[value])["id"]) != value
    ]


@pytest.mark.parametrize("address", [BY_NAME[name] for name in SAMPLES], ids=str)
def test_another_tenants_row_in_a_form_is_answered_like_nobodys(houses: Two, address: Address) -> None:
    values = form(houses.a, address)
    before = fingerprint()
    for name, foreign, unknown in swapped(houses.a, houses.b, values):
        answers = [houses.a.client(person(address)).post(houses.a.path(address), sent) for sent in (foreign, unknown)]
        assert answers[0].status_code == answers[1].status_code, name
        assert 400 <= answers[0].status_code < 500, name
        assert plain(answers[0]) == plain(answers[1]), name
    assert changed(before) == []


#: Customers' forms in which a row of somebody's stands.
NAMING = ("portal:pay", "portal:switch", "portal:sign_ins_end")


@pytest.mark.parametrize("address", [BY_NAME[name] for name in NAMING], ids=str)
def test_a_neighbours_row_in_a_form_is_answered_like_nobodys(houses: Two, address: Address) -> None:
    with houses.a.neighbour() as neighbour:
        before = fingerprint()
        tried = swapped(houses.a, neighbour, form(houses.a, address))
        assert tried
        for name, theirs, unknown in tried:
            answers = [houses.a.client("customer").post(houses.a.path(address), sent) for sent in (theirs, unknown)]
            assert [one.status_code for one in answers] == [404, 404], name
            assert plain(answers[0]) == plain(answers[1]), name
        assert changed(before) == []


def test_every_id_of_a_form_was_swapped(houses: Two) -> None:
    """What the test above finds to swap: so that it does not pass for want of ids."""
    found = {
        name: [field for field, _, _ in swapped(houses.a, houses.b, form(houses.a, BY_NAME[name]))] for name in SAMPLES
    }
    ids = {name: [field for field, value in form(houses.a, BY_NAME[name]).items() if _is_id(value)] for name in SAMPLES}
    assert found == ids
    assert found["portal:pay"] == ["subscription", "account"]
    tenants = {"account", "router", "package"}  # rows that are no customer's
    assert {name for name, one in SAMPLES.items() if one.who == "customer" and set(found[name]) - tenants} == {*NAMING}


def _is_id(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def test_the_customers_own_order_is_taken(houses_outside: Two) -> None:
    """Outside a transaction, as the gateway is called in between: nothing listens there, so the payment has failed."""
    house, address = houses_outside.a, BY_NAME["portal:pay"]
    before = fingerprint()
    answer = house.client("customer").post(house.path(address), form(house, address))
    assert answer.status_code == 302
    assert {"payments_payment", "payments_paymentattempt", "billing_recharge"} <= set(changed(before))
