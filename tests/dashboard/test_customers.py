"""The list of customers, its kept views, and the page of one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import Receipt
from billing.services import days_give
from customers.models import Customer, Document, Note
from dashboard.models import SavedView
from dashboard.services import customer_remove
from tests.factories import ACTOR, account_make, line_make, package_make, router_make
from tests.staff_pages import LIST, browser_of


@pytest.fixture
def here(tenant: Any, settings: Any) -> Client:
    settings.ALLOWED_HOSTS = [".localhost"]
    return browser_of(tenant, "owner")


def named(here: Client, **asked: str) -> list[str]:
    """The names a list shows, in its order."""
    return [row.customer.name for row in here.get(LIST, asked).context["rows"]]


@pytest.fixture
def three(tenant: Any) -> dict[str, Customer]:
    """Amina paid, Brian never did, Chloe is deleted."""
    made = {name: line_make(name=name).customer for name in ("Amina", "Brian", "Chloe")}
    days_give(customer_id=made["Amina"].id, days=2, reason="a try", actor=ACTOR)
    customer_remove(customer_id=made["Chloe"].id, actor=ACTOR)
    return made


def test_the_list_shows_the_newest_first_and_no_one_who_was_deleted(here: Client, three: Any) -> None:
    assert named(here) == ["Brian", "Amina"]


@pytest.mark.parametrize(
    ("role", "jobs", "new"),
    [("owner", True, True), ("technician", False, True), ("billing", True, False)],
)
def test_buttons_lead_nobody_to_a_closed_door(role: str, jobs: bool, new: bool, tenant: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]
    page = browser_of(tenant, role).get(LIST).content.decode()
    assert ('href="/dashboard/customers/bulk/jobs/"' in page) is jobs
    assert ('class="btn btn-primary" href="/dashboard/customers/new/"' in page) is new


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"standing": "active"}, ["Amina"]),
        ({"standing": "pending"}, ["Brian"]),
        ({"standing": "deleted"}, ["Chloe"]),
        ({"within_days": "3"}, ["Amina"]),
        ({"within_days": "1"}, []),
        ({"online": "1"}, []),
        ({"online": "0"}, ["Brian", "Amina"]),
        ({"owing": "1"}, []),
        ({"sort": "name"}, ["Amina", "Brian"]),
        ({"sort": "expiry"}, ["Amina", "Brian"]),
        ({"created_from": "2990-01-01"}, []),
        ({"created_until": "2990-01-01"}, ["Brian", "Amina"]),
        ({"runs_out_until": "2990-01-01"}, ["Amina"]),
        ({"q": "bri"}, ["Brian"]),
        ({"standing": "nonsense"}, ["Brian", "Amina"]),
    ],
)
def test_a_filter_narrows_the_list(here: Client, three: Any, asked: dict[str, str], found: list[str]) -> None:
    assert named(here, **asked) == found


def test_a_package_and_a_router_narrow_the_list(here: Client, three: Any) -> None:
    package, router = package_make(), router_make()
    line_make(name="Dora", package=package, router=router)
    assert named(here, package=str(package.id)) == ["Dora"]
    assert named(here, router=str(router.id)) == ["Dora"]


@pytest.mark.parametrize("sort", ["newest", "name", "expiry"])
def test_pages_meet_everybody_once_and_lead_back(here: Client, tenant: Any, sort: str) -> None:
    router, package = router_make(), package_make()
    for number in range(30):
        line_make(name=f"C{number:02d}", router=router, package=package)
    first = here.get(LIST, {"sort": sort})
    second = here.get(LIST + first.context["page"].next_url)
    names = [[row.customer.name for row in page.context["rows"]] for page in (first, second)]
    assert sorted(names[0] + names[1]) == [f"C{number:02d}" for number in range(30)]
    back = here.get(LIST + second.context["page"].previous_url)
    assert [row.customer.name for row in back.context["rows"]] == names[0]


def test_typing_gets_the_rows_alone(here: Client, three: Any) -> None:
    part = here.get(LIST, {"q": "amina"}, headers={"HX-Target": "customer-rows"}).content.decode()
    assert "Amina" in part
    assert "<html" not in part


def test_whoever_may_not_see_money_sees_no_balance(tenant: Any, three: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]
    text = browser_of(tenant, "technician").get(LIST).content.decode()
    assert "Balance" not in text


def test_the_list_costs_the_same_for_many_rows(here: Client, tenant: Any) -> None:
    router, package = router_make(), package_make()

    def cost(rows: int) -> int:
        while Customer.objects.count() < rows:
            line_make(router=router, package=package)
        with CaptureQueriesContext(connection) as seen:
            assert len(named(here)) == rows
        return len(seen)

    cost(1)  # what is remembered between requests is known from here on
    few = cost(5)
    assert cost(25) == few
    assert few <= 30


def test_a_kept_view_is_a_tab_and_can_open_the_list(here: Client, three: Any) -> None:
    here.post(f"{LIST}views/", {"name": "Paying", "query": "standing=active&nonsense=1&q="})
    view = SavedView.objects.get()
    assert view.query == "standing=active"
    assert "Paying" in here.get(LIST).content.decode()
    here.post(f"{LIST}views/{view.id}/", {"do": "first"})
    assert here.get(LIST).url == f"{LIST}?standing=active"
    here.post(f"{LIST}views/{view.id}/", {"do": "all"})
    assert here.get(LIST).status_code == 200


def test_a_view_is_its_owners_alone_unless_it_is_shared(here: Client, tenant: Any, three: Any) -> None:
    other = browser_of(tenant, "support")
    here.post(f"{LIST}views/", {"name": "Mine", "query": "standing=active"})
    here.post(f"{LIST}views/", {"name": "Ours", "query": "standing=pending", "is_shared": "on"})
    other.post(f"{LIST}views/", {"name": "Theirs", "query": "standing=grace", "is_shared": "on"})
    seen = other.get(LIST).content.decode()
    assert "Mine" not in seen
    assert "Ours" in seen
    assert "Theirs" not in here.get(LIST).content.decode()  # sharing is not theirs to do
    ours = SavedView.objects.get(name="Ours")
    assert other.post(f"{LIST}views/{ours.id}/", {"do": "delete"}).status_code == 404


def page(customer: Customer, end: str = "") -> str:
    return f"{LIST}{customer.id}/{end}"


def test_the_page_says_who_he_is_and_offers_what_one_may(here: Client, tenant: Any, three: Any) -> None:
    text = here.get(page(three["Amina"])).content.decode()
    for words in ("Amina", "Active", "Record a payment", "Give days", "Suspend", "Delete", "tel:+254"):
        assert words in text
    less = browser_of(tenant, "technician").get(page(three["Amina"])).content.decode()
    for words in ("Record a payment", "Give days", "Yes, suspend", "Balance"):
        assert words not in less


def test_one_panel_can_be_shown_alone(here: Client, three: Any) -> None:
    shown = here.get(page(three["Amina"]), {"tab": "billing:customer_panel"})
    assert [panel.url for panel in shown.context["panels"]] == ["billing:customer_panel"]


def test_cash_sent_twice_is_booked_once(here: Client, three: Any) -> None:
    account_make("cash")
    sent = {"amount": "1500", "way": "cash", "reference": "", "key": "a" * 32, "action": "book"}
    for _ in range(2):
        assert here.post(page(three["Brian"], "cash/"), sent).status_code == 302
    assert [row.amount for row in Receipt.objects.filter(customer=three["Brian"])] == [Decimal("1500.00")]


def test_days_sent_twice_are_given_once(here: Client, three: Any) -> None:
    before = Customer.objects.get(id=three["Amina"].id).paid_until
    for _ in range(2):
        here.post(page(three["Amina"], "days/"), {"days": "3", "reason": "the mast fell", "key": "b" * 32})
    after = Customer.objects.get(id=three["Amina"].id).paid_until
    assert (after - before).days == 3


@pytest.mark.parametrize(("end", "do", "standing"), [("stop/", "", "stopped"), ("delete/", "", "stopped")])
def test_what_was_stopped_comes_back(here: Client, three: Any, end: str, do: str, standing: str) -> None:
    here.post(page(three["Amina"], end), {"do": do})
    assert Customer.objects.get(id=three["Amina"].id).standing == standing
    here.post(page(three["Amina"], end), {"do": "go_on" if end == "stop/" else "restore"})
    assert Customer.objects.get(id=three["Amina"].id).standing == "active"


def test_the_form_changes_who_he_is(here: Client, three: Any) -> None:
    sent = {
        "name": "Amina Noor", "phones": "0711 111 111\n0722 222 222", "email": "", "address": "Moi 3",
        "language": "sw", "area": "Westlands", "district": "Nairobi", "upazila": "",
    }  # fmt: skip
    assert here.post(page(three["Amina"], "edit/"), sent).status_code == 302
    row = Customer.objects.select_related("area").get(id=three["Amina"].id)
    assert (row.name, row.language, str(row.area)) == ("Amina Noor", "sw", "Westlands, Nairobi")
    phones = list(row.phones.order_by("-is_primary").values_list("number", "is_primary"))
    assert phones == [("+254711111111", True), ("+254722222222", False)]


def test_a_bad_telephone_is_told_at_its_field(here: Client, three: Any) -> None:
    answer = here.post(page(three["Amina"], "edit/"), {"name": "Amina", "phones": "12"})
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {"phones"}


def test_a_new_line_shows_its_password_once(here: Client, tenant: Any) -> None:
    package, router = package_make(), router_make()
    sent = {"name": "Eve", "phone": "0712345678", "package": str(package.id), "router": str(router.id)}
    answer = here.post(f"{LIST}new/", sent, follow=True)
    password = answer.context["password"]
    assert len(password) >= 12
    assert password in answer.content.decode()
    where = answer.redirect_chain[-1][0]
    assert password not in here.get(where).content.decode()


def test_whoever_has_no_package_yet_is_told_so(here: Client, tenant: Any) -> None:
    assert "A package is needed first" in here.get(f"{LIST}new/").content.decode()


def test_a_note_is_pinned_changed_by_its_writer_alone_and_comes_back(here: Client, tenant: Any, three: Any) -> None:
    amina = three["Amina"]
    here.post(page(amina, "notes/add/"), {"text": "Has a dog."})
    note = Note.objects.get()
    where = page(amina, f"notes/{note.id}/")
    other = browser_of(tenant, "support")
    assert other.post(where, {"do": "edit", "text": "Has a cat."}).status_code == 400
    here.post(where, {"do": "edit", "text": "Has two dogs."})
    here.post(where, {"do": "pin"})
    note.refresh_from_db()
    assert (note.text, note.is_pinned) == ("Has two dogs.", True)
    assert "Undo" in here.post(where, {"do": "delete"}, follow=True).content.decode()
    assert "Has two dogs." not in here.get(page(amina, "notes/")).content.decode()
    here.post(where, {"do": "restore"})
    assert "Has two dogs." in here.get(page(amina, "notes/")).content.decode()


def test_a_file_is_kept_by_what_it_is_and_comes_as_an_attachment(here: Client, three: Any) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    amina = three["Amina"]
    picture = b"\x89PNG\r\n\x1a\n" + b"0" * 50
    here.post(page(amina, "files/add/"), {"file": SimpleUploadedFile("../../id card.exe", picture, "text/html")})
    kept = Document.objects.get()
    assert (kept.name, kept.kind, kept.size_bytes) == ("id card.exe", "image/png", 58)
    answer = here.get(page(amina, f"files/{kept.id}/"))
    assert answer.content == picture
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "content", [b"<html>", b"MZ\x90", b"", b"%PDF-1.7 /JavaScript (x)"], ids=["page", "program", "empty", "active"]
)
def test_what_is_no_picture_and_no_plain_paper_is_not_kept(here: Client, three: Any, content: bytes) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    answer = here.post(page(three["Amina"], "files/add/"), {"file": SimpleUploadedFile("a.pdf", content)})
    assert answer.status_code == 400
    assert not Document.objects.exists()
