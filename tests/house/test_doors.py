"""Which tenant a request is for: the membership says it for staff, the host name for all others, and no trick does."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from accounts.middleware import SESSION_TENANT
from accounts.models import Membership, User
from ispbilling.kernel import tenancy
from portal.auth import SESSION_KEY
from tests.house import permissions
from tests.house.conftest import Two
from tests.house.samples import LEADS_ON, POST_ONLY, form
from tests.house.world import ADDRESSES, BY_NAME, CUSTOMER, STAFF, House, changed, fingerprint, send

#: Headers and fields in which a caller may claim a host or a tenant.
CLAIMS = (
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_HOST",
    "HTTP_X_ORIGINAL_HOST",
    "HTTP_FORWARDED",
    "HTTP_X_TENANT",
    "HTTP_X_TENANT_ID",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_REAL_IP",
    "HTTP_X_FORWARDED_SERVER",
)


def pages(browser: Client, house: House, names: set[str] | None = None) -> dict[str, Any]:
    """Every staff page with the house's own ids, as this browser gets it."""
    chosen = [one for one in STAFF if names is None or one.name in names]
    return {
        one.name: send(browser, "POST" if one.name in POST_ONLY else "GET", house.path(one)) for one in chosen
    }  # fmt: skip


def lists() -> set[str]:
    return {one.name for one in STAFF if not one.parameters and one.name not in POST_ONLY}


def rows() -> set[str]:
    return {one.name for one in STAFF if one.parameters}


def questions() -> set[str]:
    return {one.name for one in STAFF if one.name not in POST_ONLY}


def whole(answers: dict[str, Any]) -> set[str]:
    """Those that are no part of a page and no file: around them stands whose they are."""
    return {name for name, answer in answers.items() if b"<html" in answer.content}


def set_session(browser: Client, **values: Any) -> None:
    session = browser.session
    session.update(values)
    session.save()


def platform_sql(text: str, *values: Any) -> None:
    with tenancy.platform("test"), connection.cursor() as cursor:
        cursor.execute(text, values)


def seen(answers: dict[str, Any], mark: str) -> list[str]:
    return [name for name, answer in answers.items() if mark in answer.content.decode(errors="replace")]


# --- Staff ----------------------------------------------------------------------------------------------------


def test_a_member_who_names_another_tenant_in_his_session_gets_nothing_of_it(houses: Two) -> None:
    browser = houses.b.client("owner")
    before = fingerprint(tenant=houses.a.id)
    set_session(browser, **{SESSION_TENANT: str(houses.a.id)})
    answers = pages(browser, houses.b, lists())
    assert {name: one.status_code for name, one in answers.items()} == dict.fromkeys(lists(), 200)
    assert seen(answers, houses.a.mark) == []
    assert set(seen(answers, houses.b.mark)) >= whole(answers)
    named = pages(browser, houses.a, rows())
    assert {name: one.status_code for name, one in named.items()} == dict.fromkeys(rows(), 404)
    assert seen(named, houses.a.mark) == []
    assert fingerprint(tenant=houses.a.id) == before


@pytest.mark.parametrize("claimed", ["somebody", "", "x", None, 5, ["x"], {"a": 1}], ids=repr)
def test_a_member_who_names_nonsense_in_his_session_is_where_he_belongs(claimed: Any, houses: Two) -> None:
    browser = houses.b.client("owner")
    set_session(browser, **{SESSION_TENANT: str(uuid4()) if claimed == "somebody" else claimed})
    wanted = {"dashboard:customers", "billing:receipts", "sms:messages"}
    answers = pages(browser, houses.b, wanted)
    assert {name: one.status_code for name, one in answers.items()} == dict.fromkeys(wanted, 200)
    assert set(seen(answers, houses.b.mark)) == wanted
    assert seen(answers, houses.a.mark) == []


@pytest.mark.parametrize("named", ["a", "b"])
def test_a_member_of_both_gets_what_his_session_names(named: str, houses: Two) -> None:
    with houses.a.writing() as maker:
        maker.fresh(Membership, user=houses.b.users["owner"], role="owner")
    browser = houses.b.client("owner")
    house, other = (houses.a, houses.b) if named == "a" else (houses.b, houses.a)
    set_session(browser, **{SESSION_TENANT: str(house.id)})
    answers = pages(browser, house, questions())
    assert {name for name, one in answers.items() if one.status_code != 200} == LEADS_ON
    assert seen(answers, other.mark) == []
    named_there = pages(browser, other, rows())
    assert {name: one.status_code for name, one in named_there.items()} == dict.fromkeys(rows(), 404)


def test_the_role_counts_in_its_own_tenant_alone(houses: Two) -> None:
    with houses.a.writing() as maker:
        maker.fresh(Membership, user=houses.b.users["owner"], role="reseller")
    browser = houses.b.client("owner")
    set_session(browser, **{SESSION_TENANT: str(houses.a.id)})
    before = fingerprint()
    own = {name for name in permissions.STAFF if permissions.may("reseller", name)}
    assert {one.status_code for name, one in pages(browser, houses.a).items() if name not in own} == {403}
    assert changed(before) == []


@pytest.mark.parametrize(
    "ended",
    [
        "UPDATE accounts_membership SET is_active = false WHERE user_id = %s",
        "DELETE FROM accounts_membership WHERE user_id = %s",
        "UPDATE accounts_tenant SET is_active = false WHERE id IN (SELECT tenant_id FROM accounts_membership"
        " WHERE user_id = %s)",
    ],
)
def test_a_membership_that_has_ended_opens_nothing(ended: str, houses: Two) -> None:
    platform_sql(ended, houses.a.users["owner"])
    browser = houses.a.client("owner")
    before = fingerprint()
    for claimed in (None, str(houses.a.id), str(houses.b.id)):
        set_session(browser, **{SESSION_TENANT: claimed})
        answers = pages(browser, houses.a)
        assert {one.status_code for one in answers.values()} == {403}
        assert seen(answers, houses.a.mark) + seen(answers, houses.b.mark) == []
    assert set(changed(before)) <= {"django_session"}


def test_an_ended_membership_leaves_the_others(houses: Two) -> None:
    with houses.a.writing() as maker:
        maker.fresh(Membership, user=houses.b.users["owner"], role="owner", is_active=False)
    browser = houses.b.client("owner")
    set_session(browser, **{SESSION_TENANT: str(houses.a.id)})
    answers = pages(browser, houses.a, rows())
    assert {name: one.status_code for name, one in answers.items()} == dict.fromkeys(rows(), 404)
    assert seen(answers, houses.a.mark) == []


def test_a_person_without_a_membership_comes_in_nowhere(houses: Two) -> None:
    with houses.a.writing() as maker:
        stranger = maker.fresh(User)["id"]
    browser = Client(HTTP_HOST=houses.a.host)
    browser.force_login(User.objects.get(id=stranger), "allauth.account.auth_backends.AuthenticationBackend")
    set_session(browser, **{SESSION_TENANT: str(houses.a.id)})
    before = fingerprint()
    answers = pages(browser, houses.a)
    assert {one.status_code for one in answers.values()} == {403}
    assert seen(answers, houses.a.mark) == []
    assert changed(before) == []


def test_a_superuser_without_a_membership_comes_in_nowhere_either(houses: Two) -> None:
    with houses.a.writing() as maker:
        stranger = maker.fresh(User, is_superuser=True, is_staff=True)["id"]
    browser = Client(HTTP_HOST=houses.a.host)
    browser.force_login(User.objects.get(id=stranger), "allauth.account.auth_backends.AuthenticationBackend")
    assert {one.status_code for one in pages(browser, houses.a).values()} == {403}


def test_a_person_who_was_switched_off_is_nobody(houses: Two) -> None:
    User.objects.filter(id=houses.a.users["owner"]).update(is_active=False)
    for name, answer in pages(houses.a.client("owner"), houses.a).items():
        if name.startswith("api:"):
            assert answer.status_code == 401
        else:
            assert answer["Location"].startswith("/account/login/")


@pytest.mark.parametrize("host", ["theirs", "THEIRS", "nobody.localhost", "theirs:8000"])
def test_staff_work_in_their_tenant_at_whatever_host(host: str, houses: Two) -> None:
    asked = host.replace("theirs", houses.a.host).replace("THEIRS", houses.a.host.upper())
    answers = pages(houses.b.client("owner", host=asked), houses.b, lists())
    assert seen(answers, houses.a.mark) == []
    assert set(seen(answers, houses.b.mark)) >= whole(answers) > set()


@pytest.mark.parametrize("claim", CLAIMS)
def test_no_header_chooses_the_tenant(claim: str, houses: Two) -> None:
    for house, other in ((houses.a, houses.b), (houses.b, houses.a)):
        for said in (other.host, str(other.id), f"for=10.0.0.1;host={other.host}", f"10.0.0.1, {other.host}"):
            headers = {claim: said}
            for who, path in (("owner", "/dashboard/routers/"), ("customer", "/client/")):
                text = house.client(who).get(path, {"tenant": str(other.id)}, **headers).content.decode()
                assert house.mark in text
                assert other.mark not in text.replace(other.host, "")
            text = house.client().get("/client/sign-in/", **headers).content.decode()
            assert house.mark in text
            assert other.mark not in text


# --- Customers ------------------------------------------------------------------------------------------------


def test_a_customers_session_is_worth_nothing_at_another_tenants_host(houses: Two) -> None:
    before = fingerprint()
    for host in (houses.b.host, "nobody.localhost"):
        for address in CUSTOMER:
            for house in (houses.a, houses.b):
                for method in ("GET", "POST"):
                    browser = houses.a.client("customer", host=host)
                    answer = send(browser, method, house.path(address), form(house, address) or None)
                    assert (answer.status_code, answer["Location"]) == (302, "/client/sign-in/")
    assert changed(before) == []


def test_a_customer_named_with_the_wrong_tenant_is_nobody(houses: Two) -> None:
    browser = houses.b.client()
    browser.cookies = houses.b.customer_session(houses.a.maker.id_of("customers.Customer"))
    for address in CUSTOMER:
        answer = browser.get(houses.a.path(address))
        assert (answer.status_code, answer["Location"]) == (302, "/client/sign-in/")


def test_another_tenants_customer_among_ones_accounts_is_not_found(houses: Two) -> None:
    foreign = str(houses.b.maker.id_of("customers.Customer"))
    browser = houses.a.client("customer")
    set_session(browser, portal_owners=[foreign])
    answer = browser.post(houses.a.path(BY_NAME["portal:switch"]), {"customer": foreign})
    assert answer.status_code == 404
    assert browser.session[SESSION_KEY][1] == str(houses.a.maker.id_of("customers.Customer"))
    assert houses.b.mark not in browser.get("/client/").content.decode()


def test_staff_and_customer_in_one_browser_are_each_what_they_are(houses: Two) -> None:
    """A member of b who is a customer of a: each door asks for its own."""
    browser = houses.a.client("customer")
    browser.force_login(
        User.objects.get(id=houses.b.users["support"]), "allauth.account.auth_backends.AuthenticationBackend"
    )
    text = browser.get("/dashboard/customers/").content.decode()
    assert houses.b.mark in text
    assert houses.a.mark not in text
    assert browser.get("/dashboard/events/").status_code == 403


# --- Hosts ----------------------------------------------------------------------------------------------------


def test_at_a_host_of_nobody_nobodys_name_is_shown(houses: Two) -> None:
    for host in ("nobody.localhost", "localhost", f"x.{houses.a.host}"):
        for address in ADDRESSES:
            if address.route.startswith("client/"):
                browser = houses.a.client("customer", host=host)
                answer = send(browser, "GET", houses.a.path(address))
                assert answer.status_code in (302, 404, 405)
                assert houses.a.mark not in answer.content.decode(errors="replace")


def test_a_host_is_found_however_it_is_written(houses: Two) -> None:
    for host in (houses.a.host.upper(), f"{houses.a.host}:8443"):
        text = houses.a.client("customer", host=host).get("/client/").content.decode()
        assert houses.a.mark in text


@pytest.mark.parametrize(
    "host", ["example.org", "a b", "a\tb", "..", "", "[::1", "a@b", "house:x", "a/b", "é.localhost", "x" * 300, "a,b"]
)
def test_a_host_that_is_not_ours_is_refused(host: str, houses: Two) -> None:
    before = fingerprint()
    for path in ("/client/", "/client/sign-in/", "/dashboard/", "/account/login/"):
        answer = houses.a.client("owner", host=host or " ").get(path)
        assert answer.status_code == 400, path
    assert changed(before) == []


def test_on_an_installation_of_one_tenant_every_host_is_its(houses: Two) -> None:
    platform_sql("DELETE FROM accounts_domain WHERE tenant_id = %s", houses.b.id)
    platform_sql("UPDATE accounts_tenant SET is_active = false WHERE id = %s", houses.b.id)
    assert houses.a.mark in houses.a.client("customer", host="nobody.localhost").get("/client/").content.decode()


def test_the_host_of_a_tenant_out_of_business_does_not_become_anothers(houses: Two) -> None:
    platform_sql("UPDATE accounts_tenant SET is_active = false WHERE id = %s", houses.b.id)
    for address in ADDRESSES:
        if address.route.startswith("client/"):
            for who in ("", "customer"):
                answer = send(houses.b.client(who), "GET", houses.b.path(address))
                assert houses.a.mark not in answer.content.decode(errors="replace"), address.name
                assert houses.b.mark not in answer.content.decode(errors="replace"), address.name


# --- Hooks ----------------------------------------------------------------------------------------------------


def test_a_hook_with_a_wrong_token_is_not_found(houses: Two) -> None:
    before = fingerprint()
    for path in (f"/hooks/p/{uuid4().hex}/x", f"/hooks/m/{uuid4().hex}/report"):
        assert houses.a.client().post(path, {}).status_code == 404
    assert changed(before) == []


def test_a_callback_is_its_accounts_whatever_attempt_and_host_it_names(houses: Two) -> None:
    before = fingerprint(tenant=houses.b.id)
    own, foreign = (house.values(BY_NAME["payments_hook"]) for house in (houses.a, houses.b))
    path = BY_NAME["payments_hook"].path({**own, "attempt_token": foreign["attempt_token"]})
    answer = houses.b.client().post(path, b"{}", content_type="application/json")
    assert answer.status_code == 200
    assert fingerprint(tenant=houses.b.id) == before
    with tenancy.tenant_context(houses.a.id), connection.cursor() as cursor:
        cursor.execute("SELECT attempt_id, has_token FROM payments_paymentevent ORDER BY received_at DESC LIMIT 1")
        assert cursor.fetchone() == (None, False)


def test_a_delivery_report_settles_its_own_tenants_messages_alone(houses: Two) -> None:
    platform_sql("UPDATE sms_message SET state = 'unknown'")
    before = fingerprint(tenant=houses.b.id)
    sent = {"id": houses.b.maker.row("sms.Message")["provider_id"], "status": "Success", "phoneNumber": "+254712000001"}
    path = houses.a.path(BY_NAME["sms_report_hook"])
    assert houses.b.client().post(path, sent).status_code == 200
    assert fingerprint(tenant=houses.b.id) == before
    own = {**sent, "id": houses.a.maker.row("sms.Message")["provider_id"]}
    everything = fingerprint()
    assert houses.b.client().post(path, own).status_code == 200
    assert changed(everything) == ["sms_deliveryreport", "sms_message"]
    assert fingerprint(tenant=houses.b.id) == before
