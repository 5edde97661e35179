"""Invoices and receipts on paper: one page each, with what the business says of itself."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString

from accounts.models import Tenant
from accounts.selectors import logo_current, tenant_current
from billing.models import Invoice, Receipt
from billing.papers import invoice_paper
from ispbilling.kernel.errors import NotFound
from ispbilling.kernel.pdf import Asset, pdf

#: The colour of papers of a business that chose none.
INK = "#1d5fd1"


def invoice_pdf(invoice: Invoice) -> bytes:
    """The invoice as PDF, as it was issued, with what was credited since. Raises Unavailable ``pdf.…``."""
    return pdf(invoice_html(invoice), assets=_assets())


def invoice_html(invoice: Invoice, *, is_screen: bool = False) -> str:
    """The page the PDF is made of. ``is_screen``: for a browser to print, its stylesheet and logo by address."""
    return _page("billing/invoice_pdf.html", {"paper": invoice_paper(invoice.id)}, is_screen=is_screen)


def receipt_get(receipt_id: UUID, *, customer_id: UUID | None = None) -> Receipt:
    """A receipt of a known customer. ``customer_id``: only if it is his. Raises NotFound."""
    rows = Receipt.objects.select_related("customer").exclude(customer=None)
    rows = rows.filter(customer_id=customer_id) if customer_id is not None else rows
    found: Receipt | None = rows.filter(id=receipt_id).first()
    if found is None:
        raise NotFound("receipt.unknown", "There is no such receipt.")
    return found


def receipt_pdf(receipt: Receipt) -> bytes:
    """The receipt as PDF. Raises Unavailable ``pdf.…``."""
    return pdf(_page("billing/receipt_pdf.html", {"receipt": receipt}, is_screen=False), assets=_assets())


def _page(template: str, context: dict[str, Any], *, is_screen: bool) -> str:
    tenant = tenant_current()
    brand = {
        "tenant": tenant,
        "zone": tenant.zone,
        "ink": tenant.brand_color or INK,
        "is_screen": is_screen,
        "stylesheet": "" if is_screen else _stylesheet(),
        "language": translation.get_language(),
    }
    return render_to_string(template, {**context, **brand})


@cache
def _stylesheet() -> SafeString:
    """What a browser gets by address, a PDF carries in itself."""
    return SafeString((settings.BASE_DIR / "static" / "css" / "paper.css").read_text())


def _assets() -> dict[str, Asset]:
    tenant: Tenant = tenant_current()
    logo = logo_current() if tenant.logo_digest else None
    return {"logo": Asset(bytes(logo.content), logo.media_type)} if logo is not None else {}
