"""The audit, as it is read."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from accounts.models import Membership
from billing.services import policy_set
from customers.services import customer_create
from ispbilling.kernel import audit
from ispbilling.kernel.crypto import Secret
from ispbilling.kernel.models import AuditEntry
from ispbilling.kernel.sheets import cell
from tests import factories

PAGE, FILE = "/dashboard/audit/", "/dashboard/audit/export/"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def owner(tenant: Any) -> Membership:
    return factories.staff_make(tenant, "owner", "owner@example.org")


@pytest.fixture
def here(tenant: Any, owner: Membership, settings: Any) -> Client:
    settings.ALLOWED_HOSTS = [".localhost"]
    browser = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    browser.force_login(owner.user, BACKEND)
    return browser


def write(owner: Membership, at: datetime | None = None, **given: Any) -> AuditEntry:
    """One entry; ``at`` is written into a copy, since entries cannot be changed."""
    values: dict[str, Any] = {"actor": f"user:{owner.user_id}", "verb": "planted.done", "row": owner.user}
    audit.record(**{**values, **given})
    entry: AuditEntry = AuditEntry.objects.order_by("-at", "-id").first()
    if at is not None:
        copy = {f.attname: getattr(entry, f.attname) for f in entry._meta.fields if f.attname not in ("id", "at")}
        entry = AuditEntry.objects.create(at=at, **copy)
    return entry


def rows(here: Client, **filters: str) -> list[dict[str, str]]:
    text = here.get(FILE, filters).content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_an_entry_says_who_did_what_from_old_to_new(here: Client, owner: Membership) -> None:
    policy_set(changes={"grace_hours": 24}, actor=f"user:{owner.user_id}")
    page = here.get(PAGE).content.decode()
    assert "<del>0</del>" in page
    assert "<ins>24</ins>" in page
    assert "policy.set" in page
    assert "owner@example.org" in page


def test_secrets_are_never_shown(here: Client, owner: Membership) -> None:
    write(owner, new={"password": "PLANTED-1", "config": {"consumer_secret": "PLANTED-2"}, "key": Secret("PLANTED-3")})
    assert "PLANTED" not in here.get(PAGE).content.decode()
    assert "PLANTED" not in here.get(FILE).content.decode()
    assert "***" in here.get(PAGE).content.decode()


def test_a_row_leads_to_its_page_where_there_is_one(here: Client, owner: Membership) -> None:
    customer = customer_create(name="Jane", phones=["0712345678"], actor=f"user:{owner.user_id}")
    assert f'href="/dashboard/customers/{customer.id}/"' in here.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"verb": "planted.one"}, ["planted.one"]),
        ({"verb": "planted."}, ["planted.two", "planted.one"]),
        ({"actor": "system:", "verb": "planted"}, ["planted.two"]),
        ({"row_type": "accounts.membership", "verb": "planted"}, ["planted.two"]),
        ({"verb": "planted", "row_type": "billing.invoice"}, []),
    ],
)
def test_filters_narrow(filters: dict[str, str], found: list[str], here: Client, owner: Membership) -> None:
    write(owner, verb="planted.one")
    write(owner, verb="planted.two", actor="system:test", row=owner)
    assert [row["verb"] for row in rows(here, **filters)] == found


def test_filters_find_one_person_and_one_row(here: Client, owner: Membership) -> None:
    write(owner, verb="planted.one")
    write(owner, verb="planted.two", actor="system:test")
    mine = rows(here, actor=f"user:{owner.user_id}", row_id=str(owner.user_id))
    assert [row["verb"] for row in mine] == ["planted.one"]


def test_days_are_the_tenants(here: Client, owner: Membership) -> None:
    """In Nairobi, three hours ahead, a quarter past nine in the evening of universal time is the next day."""
    write(owner, verb="planted.late", at=datetime(2026, 3, 5, 21, 15, tzinfo=UTC))
    write(owner, verb="planted.early", at=datetime(2026, 3, 5, 20, 45, tzinfo=UTC))
    assert [row["verb"] for row in rows(here, since="2026-03-06", until="2026-03-06")] == ["planted.late"]
    assert [row["verb"] for row in rows(here, since="2026-03-05", until="2026-03-05")] == ["planted.early"]


@pytest.mark.parametrize(
    "filters", [{"since": "x"}, {"until": "9999-12-31"}, {"actor": "user:x"}, {"row_id": "\x00"}, {"verb": "a" * 500}]
)
def test_a_filter_that_makes_no_sense_is_said_so_and_finds_nothing(filters: dict[str, str], here: Client) -> None:
    answer = here.get(PAGE, filters)
    assert answer.status_code == 422
    assert "<tbody>" not in answer.content.decode()
    assert rows(here, **filters) == []


def test_pages_go_on_with_the_filter_kept(here: Client, owner: Membership) -> None:
    for number in range(30):
        write(owner, verb="planted.many", new={"number": f"n{number}."})
    first = here.get(PAGE, {"verb": "planted.many"}).content.decode()
    following = first.partition('href="?verb=planted.many&amp;after=')[2].partition('"')[0]
    second = here.get(f"{PAGE}?verb=planted.many&after={following}").content.decode()
    seen = [f"n{number}." for number in range(30) if f">n{number}.<" in first + second]
    assert len(seen) == 30
    assert not any(f">n{number}.<" in first and f">n{number}.<" in second for number in range(30))


def test_in_the_file_nothing_becomes_a_formula(here: Client, owner: Membership) -> None:
    write(owner, verb="planted.formula", reason="=HYPERLINK(1)")
    assert rows(here, verb="planted.formula")[0]["reason"] == "'=HYPERLINK(1)"


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r1", "  =1"])
def test_what_a_spreadsheet_would_compute_is_text(text: str) -> None:
    assert cell(text) == f"'{text}"


def test_ordinary_text_stays_as_it_is() -> None:
    assert cell("Jane - Nairobi") == "Jane - Nairobi"
    assert cell(None) == ""


@pytest.mark.parametrize("role", ["billing", "support", "technician", "reseller"])
def test_only_leaders_read_it(role: str, tenant: Any, here: Client) -> None:
    here.force_login(factories.staff_make(tenant, role).user, BACKEND)
    assert {here.get(path).status_code for path in (PAGE, FILE)} == {403}
