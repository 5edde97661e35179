"""Bills, payments, use: one's own and nobody else's; and what every page carries."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import Tenant
from billing.models import Invoice, Receipt
from billing.services import cash_receive
from ispbilling.kernel import clock
from network.models import Line, Session
from tests import factories
from tests.portal.doors import signed_in


def paid(line: Line) -> None:
    factories.account_make("cash")
    cash_receive(
        customer_id=line.customer_id, amount=Decimal(1500), description="", key=str(line.id), actor=factories.ACTOR
    )


@pytest.fixture
def line(tenant: Any) -> Line:
    found = factories.line_make(name="Jane Wanjiku")
    paid(found)
    return found


@pytest.fixture
def jane(visitor: Client, tenant: Any, line: Line) -> Client:
    return signed_in(visitor, tenant, line.customer_id)


def test_bills_lead_to_their_lines(jane: Client) -> None:
    invoice = Invoice.objects.get()
    assert f"/client/invoices/{invoice.id}/" in jane.get("/client/invoices/").content.decode()
    page = jane.get(f"/client/invoices/{invoice.id}/").content.decode()
    assert invoice.number in page
    assert "KES 1,500.00" in page


def test_payments_lead_to_their_receipts(jane: Client) -> None:
    receipt = Receipt.objects.get()
    assert f"/client/receipts/{receipt.id}/" in jane.get("/client/payments/").content.decode()
    assert str(receipt.number) in jane.get(f"/client/receipts/{receipt.id}/").content.decode()


def test_another_customers_bill_and_receipt_are_not_found(jane: Client) -> None:
    neighbour = factories.line_make()
    paid(neighbour)
    invoice = Invoice.objects.get(customer_id=neighbour.customer_id)
    receipt = Receipt.objects.get(customer_id=neighbour.customer_id)
    assert jane.get(f"/client/invoices/{invoice.id}/").status_code == 404
    assert jane.get(f"/client/receipts/{receipt.id}/").status_code == 404
    assert jane.get(f"/client/invoices/{invoice.id}/pdf/").status_code == 404
    assert jane.get(f"/client/receipts/{receipt.id}/pdf/").status_code == 404


def test_bill_and_receipt_are_saved_as_pdf(jane: Client) -> None:
    for kind, row in (("invoices", Invoice.objects.get()), ("receipts", Receipt.objects.get())):
        answer = jane.get(f"/client/{kind}/{row.id}/pdf/")
        assert answer["Content-Type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")
        assert answer["Content-Disposition"] == f'attachment; filename="{row.number}.pdf"'


def test_ones_own_sessions_are_shown(jane: Client, line: Line) -> None:
    neighbour = factories.line_make()
    now = clock.machine_now()
    for owner, size in ((line, 1_500_000_000), (neighbour, 7_700_000_000)):
        Session.objects.create(
            line=owner,
            router_id=owner.router_id,
            key=str(owner.id)[:20],
            address="10.0.0.9",
            mac="AA:BB:CC:DD:EE:FF",
            started_at=now - timedelta(hours=2),
            seen_at=now,
            download_bytes=size,
        )
    page = jane.get("/client/sessions/").content.decode()
    assert "1.5 GB" in page
    assert "7.7 GB" not in page


def test_the_days_that_are_left_stand_large_on_the_first_page(jane: Client, line: Line, travel: Any) -> None:
    from billing.selectors import subscription_get

    expires_at = subscription_get(line.subscription_id).expires_at
    travel(seconds=(expires_at - clock.now() - timedelta(days=12, hours=1)).total_seconds())
    page = " ".join(jane.get("/client/").content.decode().split())
    assert '<span class="days-left-value">12</span> days left' in page


@pytest.mark.parametrize("path", ["sign-in/", "sign-up/", "", "payments/", "invoices/", "sessions/", "profile/"])
def test_every_page_says_whom_to_call(jane: Client, tenant: Any, path: str) -> None:
    Tenant.objects.filter(id=tenant.id).update(support_phone="+254733000000")
    page = jane.get(f"/client/{path}").content.decode()
    assert '<a href="tel:+254733000000">0733 000000</a>' in page


def test_a_customers_pages_speak_the_tenants_language_until_he_chooses(jane: Client, tenant: Any) -> None:
    Tenant.objects.filter(id=tenant.id).update(language="bn")
    assert 'lang="bn"' in jane.get("/client/").content.decode()
    jane.cookies["django_language"] = "fil"
    assert 'lang="fil"' in jane.get("/client/").content.decode()


def test_light_or_dark_is_left_to_the_telephone_until_one_chooses(visitor: Client) -> None:
    assert 'data-bs-theme="auto"' in visitor.get("/client/sign-in/").content.decode()
    visitor.cookies["theme"] = "light"
    assert 'data-bs-theme="light"' in visitor.get("/client/sign-in/").content.decode()


def test_light_by_the_telephone_is_light_by_choice(settings: Any) -> None:
    import re

    def values(name: str, block: str) -> dict[str, str]:
        text = (settings.BASE_DIR / "static" / "css" / name).read_text()
        found = re.search(re.escape(block) + r" \{(.*?)\}", text, re.DOTALL)
        assert found is not None
        return dict(re.findall(r"(--?[\w-]+|color-scheme): ([^;]+);", found[1]))

    assert values("client.css", '[data-bs-theme="auto"]') == values("tokens.css", '[data-bs-theme="light"]')
