"""Writes of customers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.selectors import tenant_current
from customers import tokens
from customers.models import Area, Customer, CustomerPhone, Payer, SearchToken
from ispbilling.kernel import audit, clock, phone, tenancy
from ispbilling.kernel.errors import Conflict, DomainError, NotFound
from ispbilling.kernel.ids import uuid7

#: Says of an argument that what is there stays.
KEEP = object()


@transaction.atomic
def customer_create(
    *, name: str, phones: Sequence[str], email: str = "", address: str = "", code: str = "", actor: str
) -> Customer:
    """Enter a subscriber. The first phone is the primary one; without ``code`` the tenant's next one is given.

    Raises DomainError ``customer.name``, ``phone.invalid``, Conflict ``customer.code``, ``customer.email``.
    """
    if not name.strip():
        raise DomainError("customer.name", "A customer needs a name.", fields={"name": ["Please fill this in."]})
    _email_free(email)
    tenant = tenant_current()
    numbers = list(dict.fromkeys(phone.normalise(text, tenant.country) for text in phones))
    if code and Customer.objects.filter(code=code.upper()).exists():
        raise Conflict("customer.code", f"There is a customer {code.upper()} already.")
    customer: Customer = Customer.objects.create(
        code=code.upper() or _next_code(),
        name=name.strip(),
        email=email,
        address=address,
        created_at=clock.now(),
    )
    CustomerPhone.objects.bulk_create(
        CustomerPhone(customer=customer, number=number, is_primary=index == 0) for index, number in enumerate(numbers)
    )
    _own_tokens(customer, numbers)
    audit.record(actor=actor, verb="customer.create", row=customer, new={"code": customer.code, "name": name})
    return customer


@transaction.atomic
def customer_edit(
    *,
    customer_id: UUID,
    name: str,
    phones: Sequence[str],
    email: str,
    address: str,
    language: str | None = None,
    area: Area | object | None = KEEP,
    actor: str,
) -> Customer:
    """Change what is known of a customer. The first telephone is the primary one; ``language`` None and ``area`` KEEP
    leave those as they are. Raises NotFound, DomainError.
    """
    customer = customer_locked(customer_id)
    if not name.strip():
        raise DomainError("customer.name", "A customer needs a name.", fields={"name": ["Please fill this in."]})
    if email != customer.email:
        _email_free(email, customer.id)
    country = tenant_current().country
    numbers = list(dict.fromkeys(phone.normalise(text, country) for text in phones))
    before = list(customer.phones.order_by("-is_primary", "id").values_list("number", flat=True))
    old: dict[str, Any] = {
        "name": customer.name,
        "email": customer.email,
        "address": customer.address,
        "phones": before,
    }
    new: dict[str, Any] = {"name": name.strip(), "email": email, "address": address, "phones": numbers}
    customer.name, customer.email, customer.address = name.strip(), email, address
    if language is not None and language != customer.language:
        old["language"], new["language"] = customer.language, language
        customer.language = language
    if area is not KEEP and getattr(area, "id", None) != customer.area_id:
        old["area"], new["area"] = customer.area_id, getattr(area, "id", None)
        customer.area = area  # type: ignore[assignment]
    customer.save(update_fields=["name", "email", "address", "language", "area"])
    if numbers != before:
        customer.phones.all().delete()
        CustomerPhone.objects.bulk_create(
            CustomerPhone(customer=customer, number=number, is_primary=index == 0)
            for index, number in enumerate(numbers)
        )
    _own_tokens(customer, numbers)
    audit.record(actor=actor, verb="customer.edit", row=customer, old=old, new=new)
    return customer


@transaction.atomic
def payer_add(*, customer_id: UUID, alias: str, note: str = "", actor: str) -> Payer:
    """Remember that money sent with this account text or from this phone is for this customer.

    Raises NotFound, DomainError ``payer.alias``, Conflict ``payer.taken``.
    """
    customer = customer_locked(customer_id)
    text = tokens.alias(alias)
    if not text:
        raise DomainError("payer.alias", "Letters or digits are needed to recognise a payer.")
    payer: Payer
    payer, created = Payer.objects.get_or_create(alias=text, defaults={"customer": customer, "note": note})
    if payer.customer_id != customer.id:  # looked at after the write: his row is under another lock than ours
        raise Conflict("payer.taken", "Another customer's payer is known by that already.")
    if created:
        audit.record(actor=actor, verb="payer.add", row=payer, new={"alias": text, "customer": customer.id})
    return payer


@transaction.atomic
def customer_delete(*, customer_id: UUID, actor: str) -> Customer:
    """Hide a customer. What he has stays; his lines are stopped by whoever calls this. Raises NotFound, also twice."""
    customer = customer_locked(customer_id)
    if customer.deleted_at is not None:
        raise NotFound("customer.unknown", "There is no such customer.")
    customer.deleted_at = clock.now()
    customer.save(update_fields=["deleted_at"])
    audit.record(actor=actor, verb="customer.delete", row=customer, new={"deleted_at": customer.deleted_at})
    return customer


@transaction.atomic
def customer_restore(*, customer_id: UUID, actor: str) -> Customer:
    """Show a deleted customer again. Raises NotFound, Conflict ``customer.not_deleted``."""
    customer = customer_locked(customer_id)
    if customer.deleted_at is None:
        raise Conflict("customer.not_deleted", "This customer was not deleted.")
    old, customer.deleted_at = customer.deleted_at, None
    customer.save(update_fields=["deleted_at"])
    audit.record(actor=actor, verb="customer.restore", row=customer, old={"deleted_at": old})
    return customer


def _email_free(email: str, but: UUID | None = None) -> None:
    if email and Customer.objects.filter(email__iexact=email, deleted_at=None).exclude(id=but).exists():
        raise Conflict("customer.email", "Another customer has this e-mail address.", fields={"email": ["In use."]})


def customer_locked(customer_id: UUID) -> Customer:
    """The customer under its row lock: the first lock of every chain of locks. Raises NotFound.

    All row locks are ``FOR NO KEY UPDATE``: a stronger one would wait for every row that refers to this one, and two
    payments of one customer, each with its receipt written, would wait for each other.
    """
    customer: Customer | None = Customer.objects.select_for_update(no_key=True).filter(id=customer_id).first()
    if customer is None:
        raise NotFound("customer.unknown", "There is no such customer.")
    return customer


@transaction.atomic
def search_terms_set(*, customer_id: UUID, source: str, texts: Iterable[str], numbers: Iterable[str] = ()) -> None:
    """Let a customer be found by an upper app's own terms (user names, invoice numbers), replacing those before."""
    wanted = tokens.of_many(texts, numbers)
    rows = SearchToken.objects.filter(customer_id=customer_id, source=source)
    held = set(rows.values_list("token", flat=True))
    if held - wanted:
        rows.filter(token__in=held - wanted).delete()
    SearchToken.objects.bulk_create(
        (SearchToken(customer_id=customer_id, source=source, token=token) for token in sorted(wanted - held)),
        ignore_conflicts=True,
    )


def _own_tokens(customer: Customer, numbers: Sequence[str]) -> None:
    search_terms_set(
        customer_id=customer.id,
        source="customers",
        texts=[customer.name, customer.code, customer.email, customer.address],
        numbers=[*numbers, customer.code],
    )


def _next_code() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_codecounter (id, tenant_id, last) VALUES (%s, %s, 1001)"
            " ON CONFLICT (tenant_id) DO UPDATE SET last = customers_codecounter.last + 1 RETURNING last",
            [uuid7(), tenancy.tenant_id_required()],
        )
        return f"C{cursor.fetchone()[0]}"
