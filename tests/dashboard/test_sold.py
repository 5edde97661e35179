"""The staff's pages of packages, subscriptions, invoices, prices and brand."""

from __future__ import annotations

import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image
from pypdf import PdfReader

from accounts.models import Logo, Tenant
from billing.models import BillingPolicy, CreditNote, Invoice, RechargeOption, Subscription
from billing.services import package_change_preview, subscriptions_stop
from ispbilling.kernel import clock
from packages.models import Package
from tests import factories
from tests.billing.test_receipts import paid
from tests.house.samples import PACKAGE, PRICES

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def here(tenant: Any, settings: Any) -> Client:
    settings.ALLOWED_HOSTS = [".localhost"]
    browser = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    browser.force_login(factories.staff_make(tenant, "owner").user, BACKEND)
    return browser


@pytest.fixture
def running(tenant: Any) -> Subscription:
    package = factories.package_make(name="Home 10", period_unit="day", period_count=30)
    subscription = factories.subscription_make(package=package)
    paid(subscription, "1500")
    subscription.refresh_from_db()
    return subscription


def text(answer: Any) -> str:
    return str(answer.content.decode())


# --- Packages ---------------------------------------------------------------------------------------------------


def test_a_package_is_made_and_listed(here: Client) -> None:
    typed = {**PACKAGE, "features": "Free router\n\nHelp at night", "discount_3": "7.5"}
    assert here.post("/dashboard/packages/new/", typed).status_code == 302
    row = Package.objects.select_related("speed_profile").get()
    assert (row.price, row.speed_profile.download_kbps) == (Decimal(2000), 20_000)
    assert (row.features, row.discounts) == (["Free router", "Help at night"], {"3": "7.5"})
    assert "Home 20" in text(here.get("/dashboard/packages/"))


def test_a_new_price_is_asked_about_where_somebody_has_it(here: Client, running: Subscription) -> None:
    address = f"/dashboard/packages/{running.package_id}/"
    typed = {name: value for name, value in PACKAGE.items() if name != "sure"}
    assert here.post(address, typed).status_code == 422
    assert Package.objects.get().price == Decimal(1500)
    assert here.post(address, {**typed, "sure": "on"}).status_code == 302
    assert Package.objects.get().price == Decimal(2000)


def test_a_package_somebody_has_is_not_deleted(here: Client, running: Subscription) -> None:
    assert here.post(f"/dashboard/packages/{running.package_id}/", {"action": "delete"}).status_code == 409
    assert Package.objects.exists()


def test_a_package_nobody_had_is_deleted(here: Client, tenant: Any) -> None:
    package = factories.package_make()
    assert here.post(f"/dashboard/packages/{package.id}/", {"action": "delete"}).status_code == 302
    assert not Package.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"price": "-1"}, {"price": "NaN"}, {"download_mbps": "0"}, {"discount_3": "101"}, {"name": ""},
     {"features": "\n".join("x" * 9)}],
)  # fmt: skip
def test_a_package_that_makes_no_sense_is_not_kept(wrong: dict[str, str], here: Client) -> None:
    assert here.post("/dashboard/packages/new/", {**PACKAGE, **wrong}).status_code == 422
    assert not Package.objects.exists()


# --- Subscriptions ----------------------------------------------------------------------------------------------


def test_the_list_is_narrowed(here: Client, running: Subscription) -> None:
    factories.subscription_make(customer=factories.customer_make(name="Pending Peter"))
    assert "Pending Peter" in text(here.get("/dashboard/subscriptions/"))
    assert "Pending Peter" not in text(here.get("/dashboard/subscriptions/", {"state": "active"}))
    assert "Jane Wanjiku" in text(here.get("/dashboard/subscriptions/", {"expires_in": "30"}))
    assert "Jane Wanjiku" not in text(here.get("/dashboard/subscriptions/", {"expires_in": "7"}))


@pytest.mark.parametrize("address", ["/dashboard/subscriptions/", "/dashboard/invoices/", "/dashboard/packages/"])
def test_a_long_list_costs_as_many_queries_as_a_short_one(address: str, here: Client, running: Subscription) -> None:
    def cost() -> int:
        here.get(address)
        with CaptureQueriesContext(connection) as queries:
            here.get(address)
        return len(queries)

    short = cost()
    for number in range(5):
        paid(factories.subscription_make(), "1500", number=f"L{number}")
    assert cost() == short


def test_days_are_given_on_the_page(here: Client, running: Subscription) -> None:
    was = running.expires_at
    here.post(f"/dashboard/subscriptions/{running.id}/extend/", {"days": "2", "reason": "a storm"})
    running.refresh_from_db()
    assert was is not None
    assert running.expires_at == was + timedelta(days=2)


def test_the_end_of_a_day_is_the_tenants(here: Client, running: Subscription, tenant: Any) -> None:
    day = (clock.now() + timedelta(days=9)).astimezone(tenant.zone_info).date()
    here.post(f"/dashboard/subscriptions/{running.id}/expiry/", {"day": day.isoformat(), "reason": "agreed"})
    running.refresh_from_db()
    assert running.expires_at is not None
    there = running.expires_at.astimezone(tenant.zone_info)
    assert (there.date(), there.hour, there.minute) == (day + timedelta(days=1), 0, 0)


def test_what_is_refused_is_said_at_its_form(here: Client, running: Subscription) -> None:
    answer = here.post(f"/dashboard/subscriptions/{running.id}/extend/", {"days": "900", "reason": "x"})
    assert answer.status_code == 422


def test_the_package_is_changed_as_it_was_shown(here: Client, running: Subscription) -> None:
    package = factories.package_make(name="Home 40", price=Decimal(3000))
    address = f"/dashboard/subscriptions/{running.id}/package/"
    seen = here.get(address, {"package": str(package.id), "into": "time"}).context["change"].seen
    answer = here.post(address, {"package": str(package.id), "into": "time", "seen": seen})
    assert answer.status_code == 302
    running.refresh_from_db()
    assert running.package_id == package.id
    assert f"~{running.expires_at.isoformat()}~" in seen  # type: ignore[union-attr]


def test_a_change_is_ordered_and_taken_back(here: Client, running: Subscription) -> None:
    package = factories.package_make()
    address = f"/dashboard/subscriptions/{running.id}/package/"
    here.post(address, {"package": str(package.id), "into": "renewal"})
    running.refresh_from_db()
    assert running.next_package_id == package.id
    here.post(address, {"action": "keep"})
    running.refresh_from_db()
    assert running.next_package_id is None


def test_missing_money_is_said_before_anything_is_done(here: Client, running: Subscription) -> None:
    package = factories.package_make(price=Decimal(30_000))
    shown = text(
        here.get(f"/dashboard/subscriptions/{running.id}/package/", {"package": str(package.id), "into": "wallet"})
    )
    change = package_change_preview(subscription_id=running.id, package_id=package.id, into="wallet")
    assert change.missing.amount > 0
    assert "is missing in the wallet" in shown


def test_lines_are_blocked_and_go_on(here: Client, running: Subscription) -> None:
    address = f"/dashboard/subscriptions/{running.id}/stop/"
    here.post(address, {"action": "stop"})
    running.refresh_from_db()
    assert running.stopped_at is not None
    here.post(address, {"action": "go_on"})
    running.refresh_from_db()
    assert running.stopped_at is None


def test_a_program_changes_the_package(here: Client, running: Subscription) -> None:
    package = factories.package_make(name="Home 40")
    answer = here.put(
        f"/api/customers/{running.customer_id}/package", {"packageId": str(package.id)}, "application/json"
    )
    assert answer.status_code == 200
    assert answer.json()["package"] == {"id": str(package.id), "name": "Home 40"}


def test_a_stopped_line_does_not_change(here: Client, running: Subscription) -> None:
    subscriptions_stop(customer_id=running.customer_id, actor="user:x")
    package = factories.package_make()
    answer = here.put(
        f"/api/customers/{running.customer_id}/package", {"packageId": str(package.id)}, "application/json"
    )
    assert answer.status_code == 409


# --- Invoices ---------------------------------------------------------------------------------------------------


def test_an_invoice_is_found_by_number_customer_state_and_day(here: Client, running: Subscription, tenant: Any) -> None:
    number, today = Invoice.objects.get().number, clock.now().astimezone(tenant.zone_info).date()
    for asked in ({"q": number}, {"q": "jane"}, {"state": "paid"}, {"since": today, "until": today}):
        assert number in text(here.get("/dashboard/invoices/", asked))
    for asked in ({"q": "nobody"}, {"state": "void"}, {"until": today - timedelta(days=1)}):
        assert f">{number}<" not in text(here.get("/dashboard/invoices/", asked))


def test_the_paper_says_who_what_and_how_much(here: Client, running: Subscription, tenant: Any) -> None:
    Tenant.objects.update(address="Moi Avenue 1\nNairobi", tax_number="P051234567X", invoice_footer="Thank you.")
    answer = here.get(f"/dashboard/invoices/{Invoice.objects.get().id}/file/")
    assert answer["Content-Type"] == "application/pdf"
    shown = PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
    for word in (Invoice.objects.get().number, "Jane Wanjiku", "Moi Avenue 1", "P051234567X", "1,500.00", "Thank you."):
        assert word in shown


def test_a_receipt_is_printed(here: Client, running: Subscription) -> None:
    receipt = running.customer.receipts.get()
    answer = here.get(f"/dashboard/receipts/{receipt.id}/file/")
    shown = PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
    assert str(receipt.number) in shown


def test_a_credit_note_is_shown_before_it_is_issued(here: Client, running: Subscription) -> None:
    address = f"/dashboard/invoices/{Invoice.objects.get().id}/credit/"
    typed = {"amount": "500", "reason": "a day without"}
    assert "KES 500.00" in text(here.post(address, {**typed, "action": "preview"}))
    assert not CreditNote.objects.exists()
    assert here.post(address, {**typed, "action": "sure"}).status_code == 302
    assert CreditNote.objects.get().total == Decimal(500)


def test_support_sees_invoices_and_takes_none_back(tenant: Any, settings: Any, running: Subscription) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]
    browser = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    browser.force_login(factories.staff_make(tenant, "support").user, BACKEND)
    invoice = Invoice.objects.get()
    assert "Take it back" not in text(browser.get(f"/dashboard/invoices/{invoice.id}/"))
    assert browser.post(f"/dashboard/invoices/{invoice.id}/credit/", {}).status_code == 403


# --- Prices and brand -------------------------------------------------------------------------------------------


def test_taxes_and_discounts_are_kept(here: Client) -> None:
    assert here.post("/dashboard/settings/prices/", PRICES).status_code == 302
    policy = BillingPolicy.objects.get()
    assert (policy.tax_mode, policy.tax_percent, policy.tax_name) == ("contained", Decimal(16), "VAT")
    assert dict(RechargeOption.objects.values_list("periods", "discount_percent")) == {1: Decimal(0), 3: Decimal(5)}


def picture(kind: str = "PNG", size: tuple[int, int] = (1200, 300)) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, "navy").save(written, kind)
    return written.getvalue()


def test_a_pale_colour_is_darkened_until_white_can_be_read(here: Client) -> None:
    here.post("/dashboard/settings/brand/", {"brand_color": "#ffd000"})
    kept = Tenant.objects.get().brand_color
    assert kept != "#ffd000"
    assert f"--solid: {kept};" in text(here.get("/brand.css"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_logo_is_drawn_anew(kind: str, here: Client) -> None:
    logo = SimpleUploadedFile("logo", picture(kind))
    assert here.post("/dashboard/settings/brand/", {"logo": logo}).status_code == 302
    kept = Image.open(io.BytesIO(bytes(Logo.objects.get().content)))
    assert (kept.format, kept.width) == ("PNG", 800)
    assert here.get("/brand/logo")["Content-Type"] == "image/png"


@pytest.mark.parametrize(
    "content", [b"", b"<svg onload=alert(1)>", b"GIF89a" + bytes(50), picture()[:100], bytes(200_001)]
)
def test_what_is_no_picture_is_refused(content: bytes, here: Client) -> None:
    answer = here.post("/dashboard/settings/brand/", {"logo": SimpleUploadedFile("x.png", content)})
    assert answer.status_code == 422
    assert not Logo.objects.exists()
