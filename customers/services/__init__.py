"""Every write of customers."""

from customers.services.areas import area_name
from customers.services.customers import (
    KEEP,
    customer_create,
    customer_delete,
    customer_edit,
    customer_locked,
    customer_restore,
    payer_add,
    search_terms_set,
)
from customers.services.documents import document_add, document_delete
from customers.services.notes import note_add, note_delete, note_edit, note_pin

__all__ = [
    "KEEP",
    "area_name",
    "customer_create",
    "customer_delete",
    "customer_edit",
    "customer_locked",
    "customer_restore",
    "document_add",
    "document_delete",
    "note_add",
    "note_delete",
    "note_edit",
    "note_pin",
    "payer_add",
    "search_terms_set",
]
