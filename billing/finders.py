"""Customers by the numbers of their invoices and receipts."""

from __future__ import annotations

from uuid import UUID

from billing.models import Invoice, Receipt

MOST = 20


def customers_of_paper(typed: str) -> set[UUID]:
    """Whose invoice or receipt has exactly this number, however its letters are written. Two look-ups by index."""
    text = typed.upper()
    if not 4 <= len(text) <= 40 or not any(character.isdigit() for character in text) or " " in text:
        return set()
    invoices = Invoice.objects.filter(number=text).values_list("customer_id", flat=True)
    receipts = Receipt.objects.filter(number__in={text, typed}).values_list("customer_id", flat=True)
    return {*invoices[:MOST], *receipts[:MOST]}
