"""Reads of customers."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from customers import search, tokens
from customers.models import Area, Customer, CustomerPhone, Document, Note, Payer
from ispbilling.kernel.errors import NotFound


def customer_get(customer_id: UUID) -> Customer:
    """Deleted ones too: their money and their messages go on. Raises NotFound."""
    found: Customer | None = Customer.objects.filter(id=customer_id).first()
    if found is None:
        raise NotFound("customer.unknown", "There is no such customer.")
    return found


def customers_known() -> QuerySet[Customer]:
    """Everybody who was not deleted."""
    rows: QuerySet[Customer] = Customer.objects.filter(deleted_at=None)
    return rows


def customer_known(customer_id: UUID) -> Customer:
    """Raises NotFound, also for one who was deleted."""
    found: Customer | None = customers_known().filter(id=customer_id).first()
    if found is None:
        raise NotFound("customer.unknown", "There is no such customer.")
    return found


def customers_found(query: str) -> QuerySet[Customer]:
    """Subscribers for whom every word of the query begins a token (or, for digits, ends a number)."""
    return search.met(customers_known().filter(kind=Customer.Kind.SUBSCRIBER), query)


def areas_all() -> list[Area]:
    return list(Area.objects.order_by("name", "district", "upazila"))


def notes_of(customer_id: UUID) -> list[Note]:
    """A customer's notes, pinned ones first, then newest first."""
    rows = Note.objects.filter(customer_id=customer_id, deleted_at=None)
    return list(rows.order_by("-is_pinned", "-created_at", "-id")[:200])


def note_get(customer_id: UUID, note_id: UUID) -> Note:
    """Raises NotFound."""
    found: Note | None = Note.objects.filter(customer_id=customer_id, id=note_id).first()
    if found is None:
        raise NotFound("note.unknown", "There is no such note.")
    return found


def documents_of(customer_id: UUID) -> list[Document]:
    """A customer's files without their content, newest first."""
    rows = Document.objects.filter(customer_id=customer_id, deleted_at=None).defer("content")
    return list(rows.order_by("-created_at", "-id")[:200])


def document_get(customer_id: UUID, document_id: UUID) -> Document:
    """With its content. Raises NotFound."""
    rows = Document.objects.filter(customer_id=customer_id, deleted_at=None)
    found: Document | None = rows.filter(id=document_id).first()
    if found is None:
        raise NotFound("document.unknown", "There is no such file.")
    return found


def phone_of(customer_id: UUID) -> str | None:
    """The number messages go to, E.164."""
    found: str | None = (
        CustomerPhone.objects.filter(customer_id=customer_id)
        .order_by("-is_primary", "id")
        .values_list("number", flat=True)
        .first()
    )
    return found


def customers_of_phone(number: str) -> list[Customer]:
    """Subscribers with this E.164 number, oldest first."""
    rows = customers_known().filter(kind=Customer.Kind.SUBSCRIBER, phones__number=number)
    return list(rows.distinct().order_by("created_at", "id"))


def customers_of_email(email: str) -> list[Customer]:
    """Subscribers with this e-mail address, however it is written, oldest first."""
    return list(customers_known().filter(email__iexact=email).order_by("created_at", "id")[:50])


def customer_of_account(text: str) -> Customer | None:
    """The customer a payer meant by what he typed: his code, or an alias we remember. Never a guess."""
    alias = tokens.alias(text)
    if not alias:
        return None
    found: Customer | None = Customer.objects.filter(code=alias).first()
    if found is None:
        payer = Payer.objects.filter(alias=alias).select_related("customer").first()
        found = payer.customer if payer is not None else None
    return found
