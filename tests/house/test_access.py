"""Every address against everybody who might knock: the permission table, tried with every method."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import get_resolver, path, resolve

from accounts.models import Role
from accounts.permissions import PERMISSIONS, permissions_of
from tests.house import permissions
from tests.house.conftest import Two
from tests.house.permissions import may, may_send
from tests.house.samples import LEADS_ON, POST_ONLY, SAMPLES, form
from tests.house.world import (
    ADDRESSES,
    BY_NAME,
    CUSTOMER,
    EVERY,
    HOOK,
    METHODS,
    PUBLIC,
    STAFF,
    Address,
    House,
    changed,
    fingerprint,
    person,
    plain,
    send,
)


def every_method(house: House, who: str, address: Address, values: dict[str, Any]) -> dict[str, Any]:
    """Method → the answer to it; POST carries the form that would be taken."""
    browser = house.client(who)
    return {
        method: send(browser, method, address.path(values), form(house, address) if method == "POST" else None)
        for method in METHODS
    }


def well(address: Address) -> int:
    """The status of a question that is answered."""
    return 302 if address.name in LEADS_ON else 200


def statuses(answers: dict[str, Any]) -> set[int]:
    return {answer.status_code for answer in answers.values()}


# --- What is declared -----------------------------------------------------------------------------------------


def test_every_address_declares_who_may_come_in() -> None:
    assert sorted(one.name for one in EVERY if one.rule is None) == []
    assert len(STAFF) + len(CUSTOMER) + len(PUBLIC) + len(HOOK) == len(ADDRESSES)


def test_every_address_has_a_name_of_its_own_and_a_route_that_can_be_filled() -> None:
    names = [one.name for one in EVERY]
    assert sorted(names) == sorted(set(names))
    assert [name for name in names if name.endswith("None")] == []
    assert [one.name for one in EVERY if not one.is_plain] == []


def test_every_address_has_its_row_in_the_table_and_demands_what_stands_there() -> None:
    assert {one.name: one.rule.permission for one in STAFF if one.rule} == permissions.STAFF
    besides = {one.name: dict(one.rule.methods) for one in STAFF if one.rule and one.rule.methods}
    assert besides == {name: {"POST": permission} for name, permission in permissions.FORMS.items()}
    assert {one.name for one in CUSTOMER} == permissions.CUSTOMER
    assert {one.name for one in HOOK} == permissions.HOOK
    assert {one.name for one in PUBLIC} == permissions.PUBLIC


def test_every_role_has_the_permissions_that_stand_in_the_table() -> None:
    assert {name: set(one.roles) for name, one in PERMISSIONS.items()} == permissions.ROLES
    assert set().union(*permissions.ROLES.values()) <= set(Role.values)
    for role in Role.values:
        assert permissions_of(role) == {name for name, roles in permissions.ROLES.items() if role in roles}


def test_every_open_address_says_why() -> None:
    assert [one.name for one in PUBLIC + HOOK if not (one.rule and one.rule.reason)] == []
    assert [one.name for one in HOOK if not any("token" in name for name in one.parameters)] == []


def test_no_address_hides_another(houses: Two) -> None:
    for address in EVERY:
        assert resolve(houses.a.path(address)).view_name == address.name


def test_an_address_without_a_rule_is_refused(houses: Two, settings: Any) -> None:
    def bare(_request: HttpRequest) -> HttpResponse:
        return HttpResponse("open")

    settings.ROOT_URLCONF = (path("dashboard/bare/", bare, name="bare"), *get_resolver().url_patterns)
    for who in ("", "owner", "customer"):
        answers = every_method(houses.a, who, Address("bare", "dashboard/bare/", bare, None, True), {})
        assert statuses(answers) == {403}
        assert b"open" not in answers["GET"].content


# --- Roles ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", STAFF, ids=str)
def test_a_role_without_the_permission_is_refused_whatever_it_sends(houses: Two, address: Address) -> None:
    before = fingerprint()
    for role in [role for role in Role.values if not may(role, address.name)]:
        own = every_method(houses.a, role, address, houses.a.values(address))
        assert statuses(own) == {403}, role
        unknown = every_method(houses.a, role, address, {name: uuid4() for name in address.parameters})
        assert plain(own["GET"]) == plain(unknown["GET"]), role
    assert changed(before) == []


@pytest.mark.parametrize("address", STAFF, ids=str)
def test_a_role_with_the_permission_comes_in(houses: Two, address: Address) -> None:
    before = fingerprint()
    roles = [role for role in Role.values if may(role, address.name)]
    assert roles
    for role in roles:
        answer = houses.a.client(role).get(houses.a.path(address))
        assert answer.status_code == (405 if address.name in POST_ONLY else well(address)), role
    assert changed(before) == []


@pytest.mark.parametrize("address", [one for one in STAFF if one.name in SAMPLES], ids=str)
@pytest.mark.parametrize("role", Role.values)
def test_a_form_is_taken_from_the_roles_that_may_send_it(houses: Two, address: Address, role: str) -> None:
    before = fingerprint()
    answer = houses.a.client(role).post(houses.a.path(address), form(houses.a, address))
    is_let_in = may_send(role, address.name)
    assert answer.status_code == (302 if is_let_in else 403)
    assert (SAMPLES[address.name].writes in changed(before)) is is_let_in
    assert bool(changed(before)) is is_let_in


@pytest.mark.parametrize("address", [one for one in STAFF + CUSTOMER if one.name not in SAMPLES], ids=str)
def test_an_address_that_takes_a_form_has_a_sample(houses: Two, address: Address) -> None:
    """An address without a sample answers a form like a question and writes nothing."""
    browser = houses.a.client(person(address))
    before = fingerprint()
    asked, sent = browser.get(houses.a.path(address)), browser.post(houses.a.path(address), {"name": "x"})
    assert sent.status_code in (405, asked.status_code)
    assert changed(before) == []


# --- The wrong people -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", STAFF, ids=str)
def test_nobody_and_customers_are_sent_to_sign_in_from_staff_pages(houses: Two, address: Address) -> None:
    before = fingerprint()
    for who in ("", "customer"):
        answers = every_method(houses.a, who, address, houses.a.values(address))
        if address.name.startswith("api:"):  # a program is told, not sent to a page
            assert statuses(answers) == {401}
            assert answers["GET"].json()["error"]["code"] == "auth.required"
            continue
        assert statuses(answers) == {302}
        assert {answer["Location"].partition("?")[0] for answer in answers.values()} == {"/account/login/"}
    assert changed(before) == []


@pytest.mark.parametrize("address", CUSTOMER, ids=str)
def test_nobody_and_staff_are_sent_to_sign_in_from_customer_pages(houses: Two, address: Address) -> None:
    before = fingerprint()
    for who in ("", "owner"):
        answers = every_method(houses.a, who, address, houses.a.values(address))
        assert {(answer.status_code, answer["Location"]) for answer in answers.values()} == {(302, "/client/sign-in/")}
    assert changed(before) == []


# --- Ids ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [one for one in STAFF + CUSTOMER if one.parameters], ids=str)
def test_an_unknown_id_and_another_tenants_id_are_the_same_404(houses: Two, address: Address) -> None:
    who = person(address)
    method = "POST" if address.name in POST_ONLY else "GET"
    before = fingerprint()
    answers = [
        send(houses.a.client(who), method, address.path(values))
        for values in ({name: uuid4() for name in address.parameters}, houses.b.values(address))
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert plain(answers[0]) == plain(answers[1])
    kept = [{name: text for name, text in one.headers.items() if name != "X-Request-Id"} for one in answers]
    assert kept[0] == kept[1]
    assert changed(before) == []
    values = form(houses.a, address) if method == "POST" else None
    own = send(houses.a.client(who), method, houses.a.path(address), values)
    assert own.status_code == (302 if method == "POST" else well(address))


def test_another_customers_rows_of_the_same_tenant_are_not_found(houses: Two) -> None:
    with houses.a.neighbour() as neighbour:
        for address in CUSTOMER:
            if address.parameters:
                method = "POST" if address.name in POST_ONLY else "GET"
                asked = [
                    send(houses.a.client("customer"), method, address.path(values))
                    for values in (neighbour.values(address), {name: uuid4() for name in address.parameters})
                ]
                assert [one.status_code for one in asked] == [404, 404]
                assert plain(asked[0]) == plain(asked[1])
        browser = houses.a.client()
        browser.cookies = houses.a.customer_session(neighbour.maker.id_of("customers.Customer"))
        for house, status in ((neighbour, 200), (houses.a, 404)):
            assert browser.get(house.path(BY_NAME["portal:payment"])).status_code == status
        home = browser.get("/client/").content.decode()
        assert str(neighbour.maker.row("billing.Receipt")["number"]) in home
        assert str(houses.a.maker.row("billing.Receipt")["number"]) not in home
