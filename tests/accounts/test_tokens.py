"""Tokens of programs: got, renewed, stolen, ended; and whoever tries without end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import jwt
import pytest

from accounts import tokens
from accounts.models import ApiCall, ApiKey, Login, Membership, RefreshToken, RoleOverride, Tries
from accounts.services import api_traces_purge
from ispbilling.kernel import api_log, clock
from ispbilling.kernel.models import AuditEntry
from tests import factories
from tests.accounts.test_second_factor import code_of, switched_on, wait_over
from tests.programs import Program, host_of, staff, subscriber


@pytest.fixture(autouse=True)
def hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]


@pytest.fixture
def door(tenant: Any) -> Program:
    return Program(host_of(tenant))


def sign_in(door: Program, member: Any, **more: Any) -> dict[str, Any]:
    answer = door.post("/api/auth/login", {"email": member.user.email, "password": factories.PASSWORD, **more})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def refresh(door: Program, token: str) -> Any:
    return door.post("/api/auth/refresh", {"refresh_token": token})


def test_staff_sign_in_and_call(door: Program, tenant: Any) -> None:
    member = factories.staff_make(tenant, "owner")
    got = sign_in(door, member, device="laptop")
    assert (got["kind"], got["second_factor"], got["expires_in"], got["tenant"]["slug"]) == (
        "staff", False, 900, tenant.slug,
    )  # fmt: skip
    door.token = got["access_token"]
    assert door.get("/api/keys").json() == {"keys": []}


def test_an_access_token_says_whose_it_is(door: Program, tenant: Any) -> None:
    member = factories.staff_make(tenant, "billing")
    claims = jwt.decode(sign_in(door, member)["access_token"], options={"verify_signature": False})
    assert claims["tenant"] == str(tenant.id)
    assert (claims["sub"], claims["kind"], claims["scopes"]) == (str(member.user_id), "staff", None)
    assert claims["exp"] - claims["iat"] == 900
    assert claims["jti"]


@pytest.mark.parametrize("line", ["username", "phone", "local phone", "email"])
def test_a_customer_signs_in_by_whatever_he_is_known_by(line: str, door: Program, tenant: Any) -> None:
    made = factories.line_make(
        phones=["0712345678"], username="jane", password="s3cret-pppoe", email="Jane@example.org"
    )
    known = {
        "username": {"username": "jane"},
        "phone": {"phone": "+254712345678"},
        "local phone": {"phone": "0712 345 678"},
        "email": {"email": "jane@example.org"},
    }[line]
    answer = door.post("/api/auth/login", {**known, "password": "s3cret-pppoe"})
    assert (answer.status_code, answer.json()["customer"]["id"]) == (200, str(made.customer_id))


def test_a_customer_is_found_at_an_address_of_no_tenant(door: Program, tenant: Any) -> None:
    factories.tenant_make()
    made = factories.line_make(username="jane", password="s3cret-pppoe")
    elsewhere = Program("nobodys.localhost")
    answer = elsewhere.post("/api/auth/login", {"username": "jane", "password": "s3cret-pppoe"})
    assert (answer.status_code, answer.json()["customer"]["id"]) == (200, str(made.customer_id))


def test_two_customers_with_one_name_and_password_are_asked_for_their_provider(door: Program, tenant: Any) -> None:
    from ispbilling.kernel import tenancy

    factories.line_make(username="jane", password="s3cret-pppoe")
    other = factories.tenant_make()
    with tenancy.tenant_context(other.id):
        theirs = factories.line_make(username="jane", password="s3cret-pppoe")
    sent = {"username": "jane", "password": "s3cret-pppoe"}
    assert Program("nobodys.localhost").post("/api/auth/login", sent).json()["error"]["code"] == "auth.tenant"
    at_home = Program(host_of(other)).post("/api/auth/login", sent)
    assert at_home.json()["customer"]["id"] == str(theirs.customer_id)


def test_a_customer_signs_in_with_the_code_sent_to_his_phone(door: Program, tenant: Any) -> None:
    from sms.models import Message

    customer = factories.customer_make(phones=["0712345678"])
    assert door.post("/api/auth/code", {"phone": "0712345678"}).status_code == 202
    code = "".join(filter(str.isdigit, Message.objects.get().text.split("code is ")[1][:6]))
    answer = door.post("/api/auth/login", {"phone": "0712345678", "code": code})
    assert answer.json()["customer"]["id"] == str(customer.id)
    assert door.post("/api/auth/login", {"phone": "0712345678", "code": code}).status_code == 401


def test_whoever_holds_a_telephone_becomes_a_customer_once(door: Program, tenant: Any) -> None:
    from customers.models import Customer
    from sms.models import Message

    def register() -> Any:
        sent = {"phone": "0712345678", "name": "Jane Wanjiku"}
        assert door.post("/api/auth/register", sent).json() == {"status": "code_sent"}
        text = Message.objects.order_by("-created_at", "-id")[0].text
        return door.post("/api/auth/register", {**sent, "code": text.split("code is ")[1][:6]}).json()["customer"]["id"]

    assert register() == register()
    assert Customer.objects.get().name == "Jane Wanjiku"


def test_registering_does_not_tell_whether_a_telephone_is_known(door: Program, tenant: Any) -> None:
    factories.customer_make(phones=["0712345678"])
    answers = [door.post("/api/auth/register", {"phone": phone, "name": "x"}) for phone in ("0712345678", "0712345679")]
    assert answers[0].status_code == answers[1].status_code == 202
    assert answers[0].json() == answers[1].json()


def test_codes_are_not_sent_to_telephone_after_telephone(door: Program, tenant: Any) -> None:
    sent = [door.post("/api/auth/register", {"phone": f"07123456{n:02}", "name": "x"}).status_code for n in range(12)]
    assert sent == [202] * 10 + [429] * 2


# --- What is refused ------------------------------------------------------------------------------------------


def test_an_unknown_user_and_a_wrong_password_are_answered_alike(door: Program, tenant: Any) -> None:
    member, line = factories.staff_make(tenant, "owner"), factories.line_make()
    answers = [
        door.post("/api/auth/login", {**sent, "password": "wrong"})
        for sent in (
            {"email": member.user.email}, {"email": "nobody@example.org"},
            {"username": line.username}, {"username": "nobody"}, {"phone": "0700000000"},
        )
    ]  # fmt: skip
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


def test_after_five_wrong_ones_the_right_one_is_refused_too_and_told_when_to_come_again(
    door: Program, tenant: Any
) -> None:
    member = factories.staff_make(tenant, "owner")
    sent = {"email": member.user.email, "password": "wrong"}
    assert [door.post("/api/auth/login", sent).status_code for _ in range(6)] == [401] * 5 + [429]
    right = door.post("/api/auth/login", {**sent, "password": factories.PASSWORD})
    assert (right.status_code, right.json()["error"]["code"]) == (429, "auth.locked")
    assert 0 < int(right["Retry-After"]) <= 901


def test_wrong_ones_on_the_page_count_for_the_api(door: Program, tenant: Any) -> None:
    member = factories.staff_make(tenant, "owner")
    for _ in range(5):
        door.client.post("/account/login/", {"login": member.user.email, "password": "wrong"})
    answer = door.post("/api/auth/login", {"email": member.user.email, "password": factories.PASSWORD})
    assert answer.status_code == 429


@pytest.mark.parametrize("known", [True, False])
def test_a_thousand_wrong_tries_are_locked_out_after_the_first_few(known: bool, door: Program, tenant: Any) -> None:
    line = factories.line_make(username="jane", password="s3cret-pppoe")
    name = line.username if known else "nobody"
    tried = [
        Program(host_of(tenant), address=f"10.8.{number // 250}.{number % 250}").post(
            "/api/auth/login", {"username": name, "password": f"guess-{number}"}
        ).status_code
        for number in range(1000)
    ]  # fmt: skip
    assert tried == [401] * 100 + [429] * 900


def test_as_many_as_like_sign_in_from_one_address(door: Program, tenant: Any) -> None:
    line = factories.line_make(username="jane", password="s3cret-pppoe")
    sent = {"username": line.username, "password": "s3cret-pppoe"}
    assert {door.post("/api/auth/login", sent).status_code for _ in range(110)} == {200}


def test_the_lock_holds_without_redis(door: Program, tenant: Any, settings: Any) -> None:
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"},
    }
    sent = {"username": "jane", "password": "wrong"}
    assert [door.post("/api/auth/login", sent).status_code for _ in range(6)] == [401] * 5 + [429]


def test_a_lock_ends(door: Program, tenant: Any) -> None:
    line = factories.line_make(username="jane", password="s3cret-pppoe")
    for _ in range(6):
        door.post("/api/auth/login", {"username": "jane", "password": "wrong"})
    Tries.objects.update(began_at=clock.machine_now() - timedelta(minutes=16))
    sent = {"username": line.username, "password": "s3cret-pppoe"}
    assert door.post("/api/auth/login", sent).status_code == 200


@pytest.mark.parametrize(
    "token", ["", "x", "ispk_" + "a" * 43, "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", "é", "x" * 5000]
)
def test_what_is_no_token_opens_nothing(token: str, door: Program) -> None:
    for header in (f"Bearer {token}", f"Basic {token}", token or "Bearer"):
        answer = door.get("/api/keys", authorization=header)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="api"')


def test_a_token_signed_with_another_key_or_way_opens_nothing(door: Program, tenant: Any, settings: Any) -> None:
    door.token = sign_in(door, factories.staff_make(tenant, "owner"))["access_token"]
    claims = jwt.decode(door.token, options={"verify_signature": False})
    for forged in (
        jwt.encode(claims, settings.SECRET_KEY, algorithm="HS256"),
        jwt.encode(claims, None, algorithm="none"),
        door.token[:-3] + "abc",
    ):
        door.token = forged
        assert door.get("/api/keys").json()["error"]["code"] == "token.invalid"


def test_a_token_lives_a_quarter_of_an_hour(door: Program, tenant: Any, settings: Any, tmp_path: Any) -> None:
    settings.FAILPOINTS_DIR = str(tmp_path)
    door.token = sign_in(door, factories.staff_make(tenant, "owner"))["access_token"]
    (tmp_path / "machine_clock").write_text("880")
    assert door.get("/api/keys").status_code == 200
    (tmp_path / "machine_clock").write_text("901")
    assert door.get("/api/keys").json()["error"]["code"] == "token.expired"


def test_a_token_is_not_taken_at_another_tenants_address(door: Program, tenant: Any) -> None:
    door.token = sign_in(door, factories.staff_make(tenant, "owner"))["access_token"]
    elsewhere = Program(host_of(factories.tenant_make()), door.token)
    assert elsewhere.get("/api/keys").status_code == 401
    assert Program("nobodys.localhost", door.token).get("/api/keys").status_code == 200


def test_a_membership_that_ended_ends_its_tokens_and_keys(door: Program, tenant: Any) -> None:
    member = factories.staff_make(tenant, "owner")
    door.token = sign_in(door, member)["access_token"]
    made = door.post("/api/keys", {"name": "till", "scopes": ["keys:manage"]}).json()
    Membership.objects.update(is_active=False)
    assert door.get("/api/keys").status_code == 401
    assert Program(host_of(tenant), made["key"]).get("/api/keys").status_code == 401


def test_a_token_of_few_scopes_does_little(door: Program, tenant: Any) -> None:
    member = factories.staff_make(tenant, "owner")
    door.token = sign_in(door, member, scopes=["customers:view"])["access_token"]
    assert door.get("/api/keys").status_code == 403


def test_a_customers_token_opens_nothing_of_staff(tenant: Any) -> None:
    assert subscriber(tenant, factories.line_make()).get("/api/keys").status_code == 401


def test_a_cookie_counts_for_nothing_beside_a_token(door: Program, tenant: Any) -> None:
    member = factories.staff_make(tenant, "owner")
    door.client.force_login(member.user, "allauth.account.auth_backends.AuthenticationBackend")
    assert door.get("/api/keys").status_code == 200
    assert door.get("/api/keys", authorization="Bearer x").status_code == 401


def test_a_cookie_alone_writes_nothing_without_its_csrf_token(tenant: Any) -> None:
    from django.test import Client

    member = factories.staff_make(tenant, "owner")
    browser = Client(HTTP_HOST=host_of(tenant), enforce_csrf_checks=True)
    browser.force_login(member.user, "allauth.account.auth_backends.AuthenticationBackend")
    sent = {"name": "till", "scopes": ["customers:view"]}
    answer = browser.post("/api/keys", sent, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "csrf")
    assert ApiKey.objects.count() == 0


# --- Renewing and ending --------------------------------------------------------------------------------------


def test_a_refresh_token_gives_new_tokens_once(door: Program, tenant: Any) -> None:
    first = sign_in(door, factories.staff_make(tenant, "owner"))
    second = refresh(door, first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    door.token = second["access_token"]
    assert door.get("/api/keys").status_code == 200
    assert refresh(door, second["refresh_token"]).status_code == 200


def test_a_refresh_token_used_twice_ends_its_whole_family_and_is_written_down(door: Program, tenant: Any) -> None:
    first = sign_in(door, factories.staff_make(tenant, "owner"))
    second = refresh(door, first["refresh_token"]).json()
    assert refresh(door, first["refresh_token"]).status_code == 401
    assert refresh(door, second["refresh_token"]).status_code == 401
    door.token = second["access_token"]
    assert door.get("/api/keys").status_code == 401
    assert AuditEntry.objects.filter(verb="login.reuse").count() == 1


def test_the_reuse_of_one_device_leaves_the_others(door: Program, tenant: Any) -> None:
    member = factories.staff_make(tenant, "owner")
    phone, laptop = sign_in(door, member), sign_in(door, member)
    refresh(door, phone["refresh_token"])
    refresh(door, phone["refresh_token"])
    assert refresh(door, laptop["refresh_token"]).status_code == 200


def test_an_old_refresh_token_is_worth_nothing(door: Program, tenant: Any) -> None:
    got = sign_in(door, factories.staff_make(tenant, "owner"))
    RefreshToken.objects.update(expires_at=clock.machine_now())
    assert refresh(door, got["refresh_token"]).status_code == 401


@pytest.mark.parametrize("by", ["access", "refresh"])
def test_signing_out_ends_both_tokens(by: str, door: Program, tenant: Any) -> None:
    got = sign_in(door, factories.staff_make(tenant, "owner"))
    door.token = got["access_token"] if by == "access" else ""
    body = {} if by == "access" else {"refresh_token": got["refresh_token"]}
    assert [door.post("/api/auth/logout", body).status_code for _ in range(2)] == [200, 200]
    door.token = got["access_token"]
    assert door.get("/api/keys").status_code == 401
    assert refresh(door, got["refresh_token"]).status_code == 401


def test_no_token_lies_in_the_database_as_it_is(door: Program, tenant: Any) -> None:
    got = sign_in(door, factories.staff_make(tenant, "owner"))
    assert RefreshToken.objects.get().hashed == tokens.digest(got["refresh_token"])
    assert got["refresh_token"] not in str(list(Login.objects.values()) + list(AuditEntry.objects.values()))


# --- Keys -----------------------------------------------------------------------------------------------------


def test_a_key_is_shown_once_and_does_what_it_is_for(tenant: Any) -> None:
    owner = staff(tenant)
    made = owner.post("/api/keys", {"name": "till", "scopes": ["keys:manage"]})
    assert made.status_code == 201
    key = made.json()["key"]
    machine = Program(host_of(tenant), key)
    listed = machine.get("/api/keys").json()["keys"]
    assert key.startswith(listed[0]["prefix"])
    assert key not in str(listed)
    assert owner.get("/api/keys").json()["keys"][0]["lastUsedAt"] is not None


def test_a_key_may_no_more_than_its_scopes_and_its_maker(tenant: Any) -> None:
    owner = staff(tenant)
    narrow = owner.post("/api/keys", {"name": "reader", "scopes": ["customers:view"]}).json()["key"]
    assert Program(host_of(tenant), narrow).get("/api/keys").status_code == 403
    manager = owner.post("/api/keys", {"name": "m", "scopes": ["keys:manage"]}).json()["key"]
    wider = {"name": "wider", "scopes": ["customers:view"]}
    assert Program(host_of(tenant), manager).post("/api/keys", wider).json()["error"]["code"] == "key.scopes"
    Membership.objects.update(role="technician")
    assert Program(host_of(tenant), manager).get("/api/keys").status_code == 403


def test_a_key_that_was_taken_back_or_ran_out_opens_nothing(tenant: Any) -> None:
    owner = staff(tenant)
    made = owner.post("/api/keys", {"name": "till", "scopes": ["keys:manage"]}).json()
    assert owner.ask("DELETE", f"/api/keys/{made['id']}").status_code == 204
    assert owner.ask("DELETE", f"/api/keys/{made['id']}").status_code == 404
    assert Program(host_of(tenant), made["key"]).get("/api/keys").status_code == 401
    later = {"name": "till", "scopes": ["keys:manage"], "expiresAt": "2099-01-01T00:00:00Z"}
    made = owner.post("/api/keys", later).json()
    ApiKey.objects.filter(id=made["id"]).update(expires_at=clock.machine_now())
    assert Program(host_of(tenant), made["key"]).get("/api/keys").status_code == 401


# --- The log of calls -----------------------------------------------------------------------------------------


def test_calls_are_written_down_beside_the_requests_and_forgotten(tenant: Any) -> None:
    owner = staff(tenant)
    api_log.taken()  # what tests before this one did
    made = owner.post("/api/keys", {"name": "till", "scopes": ["keys:manage"]}).json()
    owner.ask("DELETE", f"/api/keys/{made['id']}?token={made['key']}")
    assert ApiCall.objects.count() == 0
    assert api_log.flush() == 2
    rows = list(ApiCall.objects.order_by("at", "id").values_list("method", "route", "status"))
    assert rows == [("POST", "api/keys", 201), ("DELETE", "api/keys/<uuid:key_id>", 204)]
    ApiCall.objects.update(at=clock.machine_now() - timedelta(days=31))
    assert api_traces_purge() == 2


# --- the second factor ---------------------------------------------------------------------------------------------


def test_whoever_has_a_second_factor_needs_it_here_too(door: Program, tenant: Any) -> None:
    member = factories.staff_make(tenant, "billing", "second@example.org")
    [recovery, *_] = switched_on(member.user)
    credentials = {"email": "second@example.org", "password": factories.PASSWORD}
    asked = door.post("/api/auth/login", credentials)
    assert (asked.status_code, asked.json()["error"]["code"]) == (401, "auth.second_factor")
    wrong = door.post("/api/auth/login", {**credentials, "second_factor_code": "000000"})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "auth.wrong")
    wait_over(member.user)
    code = code_of(member.user)
    assert door.post("/api/auth/login", {**credentials, "second_factor_code": code}).status_code == 200
    again = door.post("/api/auth/login", {**credentials, "second_factor_code": code})
    assert again.status_code == 401  # a code is good once
    wait_over(member.user)
    door.signed_in(**credentials, second_factor_code=recovery)
    assert door.get("/api/customers").status_code == 200


def test_whoever_must_have_one_gets_no_token_without(door: Program, tenant: Any, settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = True
    factories.staff_make(tenant, "owner", "bare@example.org")
    answer = door.post("/api/auth/login", {"email": "bare@example.org", "password": factories.PASSWORD})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "auth.second_factor_set_up")


def test_what_a_tenant_says_of_a_role_holds_for_its_tokens(door: Program, tenant: Any) -> None:
    factories.staff_make(tenant, "billing", "narrow@example.org")
    door.signed_in(email="narrow@example.org", password=factories.PASSWORD)
    assert door.get("/api/customers").status_code == 200
    RoleOverride.objects.create(role="billing", permission="customers:view", is_granted=False)
    assert door.get("/api/customers").status_code == 403
