"""Nonsense in paths, questions, forms, cookies and headers: refused in order, never a 500, and nothing happens."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.apps import apps

from ispbilling.kernel import clock
from tests.house.conftest import Two
from tests.house.rows import PASSWORD
from tests.house.samples import ASKING, SAMPLES, form
from tests.house.world import (
    ADDRESSES,
    BY_NAME,
    CUSTOMER,
    HOOK,
    PUBLIC,
    STAFF,
    Address,
    changed,
    fingerprint,
    person,
    send,
)

#: As it stands in an address, percent-encoded.
PATHS = {
    "word": "x",
    "number": "-1",
    "long": "a" * 5000,
    "line end": "%0d%0aSet-Cookie:%20a=b",
    "not utf-8": "%ff%fe",
    "half a surrogate": "%ed%a0%80",
    "sql": quote("' OR 1=1; DROP TABLE customers_customer; --"),
    "up": "%2e%2e",
    "slash": "%2f%2fexample.org",
    "backslash": "%5c",
    "twice encoded": "%2500",
    "markup": quote("<script>alert(1)</script>"),
    "wide": quote("ＡＢＣ 𝟙𝟚𝟛 \u202e"),
    "nil": "00000000-0000-0000-0000-000000000000",
    "braces": "{" + str(uuid4()) + "}",
    "no dashes": uuid4().hex,
    "upper case": str(uuid4()).upper(),
}
#: PostgreSQL's texts cannot hold these: what reaches a query unchecked is a 500.
NULLS = {"null": "%00", "null inside": "abc%00def"}
TEXTS = {
    "null": "\x00",
    "null inside": "abc\x00def",
    "long": "a" * 5000,
    "digits": "9" * 400,
    "other digits": "٣٤٥",
    "sql": "' OR 1=1; DROP TABLE customers_customer; --",
    "wildcards": "%_\\%",
    "format": "{0.__class__} %s %(x)s",
    "uuid": str(uuid4()),
    "not a number": "NaN",
    "infinite": "1e999999",
    "blank": " \t\r\n",
}
PARAMETERS = ("q", "after", "before", "page", "sort", "next", "format", "theme", "tenant")
FORMS: dict[str, tuple[str, ...]] = {
    "account_login": ("login", "password"),
    "account_reset_password": ("email",),
    "account_signup": ("email", "password1"),
    "portal:sign_in": ("phone",),
    "portal:sign_in_code": ("code",),
    "portal:sign_in_password": ("name", "password"),
    "portal:sign_up": ("phone",),
    "portal:sign_up_code": ("code",),
    "portal:sign_up_details": ("name", "address", "package"),
    "portal:line": ("line", "password"),
    "portal:telephones": ("phone",),
    "portal:telephone_code": ("code",),
}


#: What a session of the portal knows in the middle of its ways.
STEPS = {
    "portal_phone": "+254712345678",
    "portal_sign_up": "+254712345678",
    "portal_new_phone": "+254712345678",
}

#: Parts of an order of which some nonsense is taken, and the gateway asked.
ASKED = ("key", "phone", "amount")


def _in_five_minutes() -> float:
    return clock.machine_now().timestamp() + 300


def nonsense_sent(houses: Two, address: Address, texts: dict[str, str]) -> dict[tuple[str, ...], int]:
    """(who, which part, what, method) → the answer's status, for every part of a path."""
    return {
        (who, name, kind, method): send(
            houses.a.client(who), method, address.path({**houses.a.values(address), name: text})
        ).status_code
        for who in sorted({person(address), ""})
        for name in address.parameters
        for kind, text in texts.items()
        for method in ("GET", "POST")
    }


@pytest.mark.parametrize("address", [one for one in STAFF + CUSTOMER if one.parameters], ids=str)
def test_nonsense_in_a_path_is_not_found(houses: Two, address: Address) -> None:
    before = fingerprint()
    answers = nonsense_sent(houses, address, PATHS | NULLS)
    assert set(answers.values()) <= {404, 405, 401 if address.name.startswith("api:") else 302}
    own = {key: status for key, status in answers.items() if key[0]}
    assert {key: status for key, status in own.items() if status != 404 and key[2] != "nil"} == {}
    assert {status for key, status in own.items() if key[2] == "nil"} <= {404, 405}
    assert changed(before) == []


@pytest.mark.parametrize("address", [one for one in PUBLIC if one.parameters], ids=str)
def test_nonsense_in_an_open_path_breaks_nothing(houses: Two, address: Address) -> None:
    before = fingerprint()
    assert set(nonsense_sent(houses, address, PATHS | NULLS).values()) <= {200, 404, 405, 429}
    assert changed(before) == []


@pytest.mark.parametrize("address", HOOK, ids=str)
def test_nonsense_in_the_path_of_a_hook_is_not_found(houses: Two, address: Address) -> None:
    for key, status in nonsense_sent(houses, address, PATHS).items():
        # An unknown attempt of a known account is kept for a person, and answered.
        kept = key[1] == "attempt_token" and key[3] == "POST" and "%2f" not in PATHS[key[2]]
        assert status in ((200, 404) if kept else (404, 405)), key


@pytest.mark.parametrize("address", ADDRESSES, ids=str)
def test_nonsense_in_a_question_breaks_nothing(houses: Two, address: Address) -> None:
    before, wrong = fingerprint(), {}
    browser = houses.a.client(person(address))
    path, texts = houses.a.path(address), list((PATHS | NULLS).values())
    asked = browser.get(path).status_code
    for first in range(0, len(texts), 3):  # each time something else for each parameter
        turned = texts[first:] + texts[:first]
        status = browser.get(f"{path}?{'&'.join(map('='.join, zip(PARAMETERS, turned, strict=False)))}").status_code
        if status not in (asked, 302, 400, 422):
            wrong[first] = status
    assert wrong == {}
    assert changed(before) == []


@pytest.mark.parametrize("address", [BY_NAME[name] for name in (*SAMPLES, *FORMS)], ids=str)
def test_nonsense_in_a_form_breaks_nothing(houses: Two, address: Address) -> None:
    wrong = {}
    values = form(houses.a, address) or dict.fromkeys(FORMS.get(address.name, ()), "x")
    for name in values:
        for kind, text in TEXTS.items():
            if address.name in ASKING and name in ASKED:
                continue  # tried outside a transaction, in the test below
            browser = houses.a.client(person(address))
            if address.route.startswith("client/"):
                browser.cookies = houses.a.customer_session(
                    houses.a.maker.id_of("customers.Customer"), **STEPS, portal_confirmed=_in_five_minutes()
                )
            status = browser.post(houses.a.path(address), {**values, name: text}).status_code
            if status >= 500:
                wrong[name, kind] = status
    assert wrong == {}


@pytest.mark.parametrize("name", sorted(ASKING))
@pytest.mark.parametrize("part", ASKED)
def test_nonsense_in_an_order_breaks_nothing(houses_outside: Two, name: str, part: str) -> None:
    house, address = houses_outside.a, BY_NAME[name]
    for kind, text in TEXTS.items():
        answer = house.client("customer").post(house.path(address), {**form(house, address), part: text})
        assert answer.status_code < 500, kind


BODIES: dict[str, bytes] = {
    **{kind: text.encode() for kind, text in TEXTS.items()},
    "empty": b"",
    "json null": b"null",
    "number": b"1e999",
    "large": b"x" * 100_000,
    "not utf-8": b"\xff\xfe",
}
TYPES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x")
GATEWAYS = [*HOOK, BY_NAME["payments_mpesa_alias"]]


@pytest.mark.parametrize("address", GATEWAYS, ids=str)
def test_nonsense_sent_by_a_gateway_breaks_nothing(houses: Two, address: Address) -> None:
    answers = {
        (kind, content_type): houses.a.client().post(houses.a.path(address), body, content_type=content_type)
        for kind, body in BODIES.items()
        for content_type in TYPES
    }
    assert {key: one.status_code for key, one in answers.items() if one.status_code >= 500} == {}


@pytest.mark.parametrize("address", GATEWAYS, ids=str)
def test_json_nested_too_deeply_breaks_nothing(houses: Two, address: Address) -> None:
    answer = houses.a.client().post(houses.a.path(address), b"[" * 100_000, content_type="application/json")
    assert answer.status_code < 500


REFERENCES: dict[str, Any] = {**TEXTS, "surrogate": "\udcff", "list": [1], "object": {"a": 1}, "none": None}


@pytest.mark.parametrize("kind", REFERENCES)
def test_a_nonsensical_reference_of_a_gateway_breaks_nothing(houses: Two, kind: str) -> None:
    body = json.dumps({"Body": {"stkCallback": {"CheckoutRequestID": REFERENCES[kind]}}})
    answer = houses.a.client().post("/api/webhooks/mpesa-callback", body, content_type="application/json")
    assert answer.status_code in (200, 400)


@pytest.mark.parametrize("kind", TEXTS)
def test_a_nonsensical_delivery_report_breaks_nothing(houses: Two, kind: str) -> None:
    text = TEXTS[kind]
    sent = {"id": text, "status": "Success", "phoneNumber": text, "failureReason": text}
    assert houses.a.client().post(houses.a.path(BY_NAME["sms_report_hook"]), sent).status_code == 200


COOKIES = {
    "word": "x",
    "long": "a" * 5000,
    "quote": "'" * 40,
    "sql": "a' OR 1=1 --" + "a" * 20,
    "wide": "\u00ff" * 32,
}


@pytest.mark.parametrize("name", ["sessionid", "csrftoken", "messages", "theme", "django_language"])
def test_nonsense_in_a_cookie_breaks_nothing(houses: Two, name: str) -> None:
    before, wrong = fingerprint(), {}
    names = ("dashboard:home", "account_login", "account_signup", "portal:home", "portal:sign_in")
    for address in [BY_NAME[one] for one in names]:
        for kind, text in COOKIES.items():
            kept = "" if name == "sessionid" else f"; sessionid={_session(houses, address)}"
            answer = houses.a.client().get(houses.a.path(address), HTTP_COOKIE=f"{name}={text}{kept}")
            if answer.status_code >= 500:
                wrong[address.name, kind] = answer.status_code
    assert wrong == {}
    assert changed(before) == []


def test_a_null_byte_in_the_sessions_cookie_is_a_session_of_nobody(houses: Two) -> None:
    """Written as browsers may: a quoted cookie with octal escapes."""
    for address in ADDRESSES:
        answer = houses.a.client().get(houses.a.path(address), HTTP_COOKIE='sessionid="' + "\\000" * 32 + '"')
        assert answer.status_code < 500, address.name


@pytest.mark.parametrize("address", HOOK, ids=str)
def test_a_null_byte_in_the_path_of_a_hook_is_not_found(houses: Two, address: Address) -> None:
    for key, status in nonsense_sent(houses, address, NULLS).items():
        assert status in (404, 405) or (key[1], status) == ("attempt_token", 200), key


def _session(houses: Two, address: Address) -> str:
    who = person(address)
    return str(houses.a.sessions[who]["sessionid"].value) if who else ""


HEADERS = (
    "HTTP_USER_AGENT",
    "HTTP_REFERER",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_HX_REQUEST",
    "HTTP_AUTHORIZATION",
    "CONTENT_TYPE",
)


@pytest.mark.parametrize("header", HEADERS)
def test_nonsense_in_a_header_breaks_nothing(houses: Two, header: str) -> None:
    wrong = {}
    for address in [BY_NAME[one] for one in ("dashboard:line_add", "account_login", "payments_hook")]:
        for kind in ("long", "other digits", "sql", "format", "blank"):
            values = {**form(houses.a, address), "login": "a@example.org", "password": "x"}
            headers: dict[str, Any] = {header: TEXTS[kind]}
            answer = houses.a.client(person(address)).post(houses.a.path(address), values, **headers)
            if answer.status_code >= 500:
                wrong[address.name, kind] = answer.status_code
    assert wrong == {}


ELSEWHERE = ("https://example.org/", "//example.org/", "/\\example.org")


@pytest.mark.parametrize("address", [one for one in ADDRESSES if one.name not in ASKING], ids=str)
def test_nobody_is_sent_to_another_site(houses: Two, address: Address) -> None:
    path, values = houses.a.path(address), form(houses.a, address)
    for there in ELSEWHERE:
        for method, asked, sent in (
            ("GET", path, {"next": there}),
            ("POST", f"{path}?next={quote(there)}", {**values, "next": there}),
        ):
            answer = send(houses.a.client(person(address)), method, asked, sent, HTTP_REFERER=there)
            assert answer.get("Location", "/").startswith("/")
            assert not answer.get("Location", "/").startswith(("//", "/\\"))


def test_signing_in_leads_to_no_other_site(houses: Two) -> None:
    with houses.a.writing() as maker:
        user = maker.fresh(apps.get_model("accounts.User"))
    for there in ELSEWHERE:
        values = {"login": user["email"], "password": PASSWORD, "next": there}
        answer = houses.a.client().post("/account/login/", values)
        assert (answer.status_code, answer["Location"]) == (302, "/dashboard/")
