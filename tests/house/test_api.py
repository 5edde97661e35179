"""Every endpoint for programs against every program that might call it, with every method it has and has not."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from accounts.models import Login, Role
from accounts.services import login_open
from ispbilling.kernel import tenancy
from ispbilling.kernel.access import Audience
from tests.house import permissions
from tests.house.conftest import Two
from tests.house.permissions import API_CUSTOMER, API_PUBLIC, API_STAFF, may_call
from tests.house.test_lists import found_in, signs
from tests.house.world import API, Address, House, changed, fingerprint

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
#: ``/clients`` is ``/customers`` by another name (see the test that says so): tried once.
SECOND_NAME = "api:client"
STAFF = [one for one in API if one.name in API_STAFF and not one.name.startswith(SECOND_NAME)]
CUSTOMER = [one for one in API if one.name in API_CUSTOMER]
ONCE = [one for one in API if not one.name.startswith(SECOND_NAME)]
#: What writes what is asked of it without a body: tried where it is refused, and in the endpoints' own tests.
BARE = {"DELETE"}
#: Nothing is read from a body here either: whoever may, restores.
BODYLESS = {("api:customer_restore", "POST")}


@pytest.fixture(scope="module")
def tokens(committed_houses: Two, django_db_blocker: Any) -> dict[tuple[UUID, str], str]:
    """(tenant, who) → an access token, committed."""
    found = {}
    with django_db_blocker.unblock():
        for house in (committed_houses.a, committed_houses.b):
            with tenancy.tenant_context(house.id):
                for role, user in house.users.items():
                    made = login_open(kind=Login.Kind.STAFF, subject_id=user, actor=f"user:{user}")
                    found[house.id, role] = made.access
                customer = house.maker.id_of("customers.Customer")
                made = login_open(kind=Login.Kind.CUSTOMER, subject_id=customer, actor=f"customer:{customer}")
                found[house.id, "customer"] = made.access
    return found


class Caller:
    def __init__(self, tokens: dict[tuple[UUID, str], str]) -> None:
        self.tokens = tokens

    def __call__(self, house: House, who: str, method: str, path: str, body: Any = None) -> Any:
        headers = {"HTTP_AUTHORIZATION": f"Bearer {self.tokens[house.id, who]}"} if who else {}
        data = json.dumps({} if body is None else body).encode() if method in ("POST", "PUT", "PATCH") else b""
        return house.client().generic(method, path, data, "application/json", **headers)


@pytest.fixture
def call(tokens: dict[tuple[UUID, str], str]) -> Caller:
    return Caller(tokens)


def methods_of(address: Address) -> set[str]:
    return {one for one in METHODS if hasattr(address.view.cls, one.lower())}


def demands(address: Address) -> dict[str, set[str]]:
    return {one: set(address.rule.demands(one)) for one in methods_of(address)} if address.rule else {}


def test_every_endpoint_has_its_row_in_the_table_and_demands_what_stands_there() -> None:
    by_audience: dict[Any, dict[str, Any]] = {}
    for one in API:
        assert one.rule is not None, one.name
        by_audience.setdefault(one.rule.audience, {})[one.name] = (
            demands(one) if one.rule.audience is Audience.STAFF else methods_of(one)
        )
    assert by_audience.get(Audience.STAFF, {}) == API_STAFF
    assert by_audience.get(Audience.CUSTOMER, {}) == API_CUSTOMER
    assert by_audience.get(Audience.PUBLIC, {}) == API_PUBLIC


def test_clients_are_customers_by_another_name() -> None:
    by_name = {one.name: one for one in API}
    clients = [one for one in API if one.name.startswith(SECOND_NAME)]
    assert len(clients) == 12
    for one in clients:
        same = by_name[one.name.replace(SECOND_NAME, "api:customer")]
        assert (one.view.cls, one.rule) == (same.view.cls, same.rule)
        assert one.route.replace("clients", "customers") == same.route


def test_every_open_endpoint_says_why() -> None:
    assert [one.name for one in API if one.name in API_PUBLIC and not (one.rule and one.rule.reason)] == []


@pytest.mark.parametrize("address", STAFF, ids=str)
def test_nobody_and_customers_are_told_to_sign_in(houses: Two, call: Caller, address: Address) -> None:
    before = fingerprint()
    for who in ("", "customer"):
        for method in METHODS:
            answer = call(houses.a, who, method, houses.a.path(address))
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "auth.required"), method
    assert changed(before) == []


@pytest.mark.parametrize("address", STAFF, ids=str)
def test_a_role_without_the_permission_is_refused(houses: Two, call: Caller, address: Address) -> None:
    before = fingerprint()
    for role in Role.values:
        for method in methods_of(address):
            if not may_call(role, address.name, method):
                answers = [
                    call(houses.a, role, method, address.path(values))
                    for values in (houses.a.values(address), {name: uuid4() for name in address.parameters})
                ]
                assert [one.status_code for one in answers] == [403, 403], (role, method)
                assert answers[0].content == answers[1].content
    assert changed(before) == []


@pytest.mark.parametrize("address", STAFF, ids=str)
def test_a_role_with_the_permission_comes_in(houses: Two, call: Caller, address: Address) -> None:
    for role in Role.values:
        for method in methods_of(address) - BARE:
            if may_call(role, address.name, method):
                answer = call(houses.a, role, method, houses.a.path(address), {"nobody_knows": 1})
                wanted = 200 if method == "GET" else 409 if (address.name, method) in BODYLESS else 400
                assert answer.status_code == wanted, (role, method, answer.content)


@pytest.mark.parametrize("address", CUSTOMER, ids=str)
def test_nobody_and_staff_are_told_to_sign_in_as_customers(houses: Two, call: Caller, address: Address) -> None:
    before = fingerprint()
    for who in ("", "owner"):
        for method in METHODS:
            answer = call(houses.a, who, method, houses.a.path(address))
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "auth.required"), method
    assert changed(before) == []


@pytest.mark.parametrize("address", [one for one in STAFF + CUSTOMER if one.parameters], ids=str)
def test_an_unknown_id_and_another_tenants_id_are_the_same_404(houses: Two, call: Caller, address: Address) -> None:
    who = "owner" if address in STAFF else "customer"
    before = fingerprint()
    for method in methods_of(address):
        answers = [
            call(houses.a, who, method, address.path(values), permissions.API_BODIES.get((address.name, method)))
            for values in ({name: uuid4() for name in address.parameters}, houses.b.values(address))
        ]
        assert [one.status_code for one in answers] == [404, 404], (method, answers[0].content)
        assert answers[0].content == answers[1].content
    assert changed(before) == []


@pytest.mark.parametrize("address", [one for one in CUSTOMER if one.parameters], ids=str)
def test_another_customers_rows_are_not_found(houses: Two, call: Caller, address: Address) -> None:
    with houses.a.neighbour() as neighbour:
        for method in methods_of(address):
            body = permissions.API_BODIES.get((address.name, method))
            assert call(houses.a, "customer", method, neighbour.path(address), body).status_code == 404, method


@pytest.mark.parametrize("address", STAFF + CUSTOMER, ids=str)
def test_nothing_of_another_tenant_is_shown(houses: Two, call: Caller, address: Address) -> None:
    who = "owner" if address in STAFF else "customer"
    if "GET" in methods_of(address):
        for house, other in ((houses.a, houses.b), (houses.b, houses.a)):
            path = house.path(address) + ("?months=1" if address.name == "api_portal:recharge_preview" else "")
            answer = call(house, who, "GET", path)
            assert answer.status_code == 200
            text = answer.content.decode()
            assert found_in(json.dumps(json.loads(text), ensure_ascii=False), signs(other)) == []


@pytest.mark.parametrize("address", ONCE, ids=str)
def test_a_method_that_is_not_offered_is_refused_in_the_one_shape(houses: Two, call: Caller, address: Address) -> None:
    who = "owner" if address in STAFF else "customer" if address in CUSTOMER else ""
    before = fingerprint()
    for method in {*METHODS, "PROPFIND"} - methods_of(address):
        answer = call(houses.a, who, method, houses.a.path(address))
        assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method"), method
    assert changed(before) == []


@pytest.mark.parametrize("address", ONCE, ids=str)
def test_what_is_no_json_is_refused_in_the_one_shape(
    houses: Two, tokens: dict[tuple[UUID, str], str], address: Address
) -> None:
    who = "owner" if address in STAFF else "customer" if address in CUSTOMER else ""
    headers: Any = {"HTTP_AUTHORIZATION": f"Bearer {tokens[houses.a.id, who]}"} if who else {}
    before = fingerprint()
    for method in methods_of(address) & {"POST", "PUT", "PATCH"}:
        for kind, data, status in (
            ("application/json", b"{", 400), ("application/json", b"\xff", 400), ("application/json", b"[]", 400),
            ("application/json", b'"x"', 400), ("application/json", b"[" * 50_000, 400),
            ("text/plain", b"x", 415), ("application/x-www-form-urlencoded", b"a=b", 415),
        ):  # fmt: skip
            if (address.name, method) in BODYLESS:
                continue
            with transaction.atomic():
                answer = houses.a.client().generic(method, houses.a.path(address), data, kind, **headers)
            assert answer.status_code == status, (method, data[:10], answer.content)
            assert set(answer.json()["error"]) == {"code", "message", "fields"}
    assert set(changed(before)) <= {"accounts_tries"}
