"""Lists, searches, totals and pages show the own tenant's rows alone.

Every text of a tenant's rows begins with a rare character of its own, so it is enough to look for the other's; and a
page must stay the same, letter by letter, whatever the other tenant does.
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from django.db import models

from accounts.models import Role
from accounts.permissions import PERMISSIONS
from ispbilling.kernel import counters
from ispbilling.kernel.crypto import EncryptedJSONField, EncryptedTextField
from tests.house.conftest import Two
from tests.house.rows import FINDABLE, is_one_per_tenant, tenant_models
from tests.house.samples import ASKING, POST_ONLY, SAMPLES, form
from tests.house.world import ADDRESSES, BY_NAME, STAFF, Address, House, person, plain, send

#: Lists that grow when their own tenant's rows do: what shows that the comparison below notices.
GROWING = {
    "dashboard:home",
    "dashboard:audit",
    "dashboard:audit_export",
    "dashboard:customers",
    "dashboard:events",
    "dashboard:trends",
    "dashboard:health",
    "payments:payments",
    "packages:packages",
    "billing:subscriptions",
    "billing:invoices",
    "payments:payments_export",
    "billing:receipts",
    "billing:suspense",
    "network:routers",
    "network:router",
    "sms:messages",
}
#: Columns that must be seen on their own tenant's pages, so that looking for their text elsewhere means something.
SHOWN = {
    "accounts.Tenant.name",
    "billing.Invoice.number",
    "billing.Receipt.number",
    "customers.Customer.code",
    "customers.Customer.name",
    "kernel.Event.key",
    "kernel.Event.last_error",
    "network.Line.username",
    "network.Router.name",
    "network.Session.address",
    "packages.Package.name",
    "payments.Payment.receipt",
    "payments.ProviderAccount.label",
    "sms.Message.text",
}


def everything(answer: Any) -> str:
    """Body, headers and cookies."""
    return f"{answer.content.decode(errors='replace')}\n{dict(answer.headers)}\n{answer.cookies.output()}"


def pages(house: House, question: str = "") -> dict[str, str]:
    """Name → what each address answers to whoever belongs there, and to nobody; a question is put to lists alone."""
    found = {}
    for address in ADDRESSES:
        if question and (address.parameters or not person(address)):
            continue
        for who in {person(address)} if question else sorted({person(address), ""}):
            answer = house.client(who).get(house.path(address) + question)
            assert answer.status_code < 500, address.name
            found[f"{address.name} {who}".strip()] = everything(answer)
    return found


def texts(house: House) -> dict[str, str]:
    """Column → the text that was planted in it."""
    found = {}
    for model, row in house.maker.rows.items():
        for field in model._meta.local_concrete_fields:
            is_text = isinstance(field, models.CharField | models.TextField)
            if is_text and not isinstance(field, EncryptedTextField | EncryptedJSONField):
                value = row.get(field.column)
                if value and (house.mark in str(value) or str(value).startswith("+254")):
                    found[f"{model._meta.label}.{field.name}"] = str(value)
    return found


def signs(house: House) -> set[str]:
    """What betrays a tenant: its mark, however written, its telephones and the ids of all its rows."""
    phones = {text for text in texts(house).values() if text.startswith("+254")}
    local = {f"0{text[4:7]} {text[7:]}" for text in phones}
    ids = {str(row["id"]) for row in house.maker.rows.values() if "id" in row}
    marks = {house.mark, quote(house.mark), json.dumps(house.mark).strip('"'), f"&#{ord(house.mark)};"}
    return phones | local | ids | marks | {house.host}


def found_in(text: str, wanted: set[str]) -> list[str]:
    return sorted(one for one in wanted if one in text)


def test_the_owner_has_every_permission_so_that_his_pages_are_all_pages() -> None:
    assert [name for name, one in PERMISSIONS.items() if Role.OWNER not in one.roles] == []


def test_a_mark_stands_in_every_text_that_takes_one(houses: Two) -> None:
    planted = texts(houses.b)
    assert len(planted) >= 60
    assert set(planted) >= SHOWN


def test_no_page_shows_anything_of_another_tenant(houses: Two) -> None:
    for house, other in ((houses.a, houses.b), (houses.b, houses.a)):
        wanted = signs(other)
        leaks = {name: found_in(text, wanted) for name, text in pages(house).items()}
        assert {name: found for name, found in leaks.items() if found} == {}


def test_the_own_pages_show_what_is_looked_for_elsewhere(houses: Two) -> None:
    together = "\n".join(pages(houses.b).values())
    assert {name for name, text in texts(houses.b).items() if text in together} >= SHOWN
    assert len(found_in(together, signs(houses.b))) >= 10


@pytest.mark.parametrize("role", [role for role in Role.values if role != "owner"])
def test_no_role_sees_anything_of_another_tenant(houses: Two, role: str) -> None:
    wanted = signs(houses.b)
    for address in STAFF:
        answer = houses.a.client(role).get(houses.a.path(address))
        assert found_in(everything(answer), wanted) == [], address.name


@pytest.mark.parametrize("address", [BY_NAME[name] for name in SAMPLES if name not in ASKING], ids=str)
def test_the_answer_to_a_form_shows_nothing_of_another_tenant(houses: Two, address: Address) -> None:
    wanted = signs(houses.b)
    for values in (form(houses.a, address), {}, dict.fromkeys(form(houses.a, address), "x")):
        answer = houses.a.client(person(address)).post(houses.a.path(address), values, follow=True)
        assert found_in(everything(answer), wanted) == []


def test_no_question_finds_anything_of_another_tenant(houses: Two) -> None:
    """Words, numbers and page addresses that name the other's rows."""
    wanted = signs(houses.b)
    token = str(houses.b.maker.row("customers.SearchToken")["token"])
    for words in (FINDABLE, token, "%", "*", "", "a", "0", "findable*", "C"):
        for name, text in pages(houses.a, f"?q={quote(words)}").items():
            assert found_in(text, wanted - {token}) == [], (name, words)


@pytest.mark.parametrize("way", ["after", "before"])
def test_a_page_address_made_from_another_tenants_row_shows_nothing_of_it(houses: Two, way: str) -> None:
    for model in ("customers.Customer", "kernel.Event", "payments.Payment", "sms.Message"):
        row = houses.b.maker.row(model)
        for instant in (row["created_at"].isoformat(), "9999-01-01T00:00:00+00:00"):
            cursor = base64.urlsafe_b64encode(json.dumps([instant, str(row["id"])]).encode()).decode()
            for name, text in pages(houses.a, f"?{way}={cursor}").items():
                assert found_in(text.replace(cursor, ""), signs(houses.b)) == [], name


def test_a_search_finds_the_own_tenants_customers_alone(houses: Two) -> None:
    for house, other in ((houses.a, houses.b), (houses.b, houses.a)):
        text = house.client("owner").get(f"/dashboard/customers/?q={FINDABLE}").content.decode()
        assert str(house.maker.row("customers.Customer")["name"]) in text
        assert other.mark not in text


def test_a_search_for_another_tenants_customer_is_answered_like_one_for_nobody(houses: Two) -> None:
    browser = houses.a.client("owner")
    answers = []
    for words in (str(houses.b.maker.row("customers.SearchToken")["token"]), f"{FINDABLE}0nobody"):
        answers.append(plain(browser.get("/dashboard/customers/", {"q": words})).replace(words, ""))
    assert answers[0] == answers[1]


def test_a_page_stays_the_same_whatever_another_tenant_does(houses: Two) -> None:
    """Lists, totals and counts: two more rows of everything for the other, and not a letter changes."""
    addresses = [one for one in ADDRESSES if person(one) and one.name not in POST_ONLY]

    def seen(house: House) -> dict[str, str]:
        counters.forget(house.id)  # else a number of half a minute ago is exchanged while we read
        return {one.name: plain(send(house.client(person(one)), "GET", house.path(one))) for one in addresses}

    own, others = seen(houses.a), seen(houses.b)
    with houses.b.writing() as maker:
        for model in tenant_models():
            if not is_one_per_tenant(model):
                maker.fresh(model)
                maker.fresh(model)
    assert seen(houses.a) == own
    grown = seen(houses.b)
    assert {name for name, text in grown.items() if text != others[name]} >= GROWING
