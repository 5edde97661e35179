"""Money that found no owner, or the wrong one: attached, taken back, given back, each by entries that can be undone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.models import AccountKind, AccountName, Invoice, LedgerEntry, Receipt, Subscription
from billing.selectors import rules_current, wallet_of
from billing.services.credits import credit_draft, credit_write, invoices_locked
from billing.services.expiry import subscription_expiry_set
from billing.services.ledger import post, posting
from billing.services.receipts import money_book, receipt_record
from billing.services.subscriptions import subscription_locked
from customers.services import customer_locked
from ispbilling.kernel import audit, clock, live
from ispbilling.kernel.errors import Conflict, DomainError, NotFound
from ispbilling.kernel.money import Money
from payments.selectors import statement_line_get
from payments.services import money_receive, payment_claim


@transaction.atomic
def receipt_assign(*, receipt_id: UUID, customer_id: UUID, actor: str) -> Receipt:
    """Take money out of suspense: it is then as if the customer had paid it now.

    Raises NotFound, Conflict ``receipt.assigned``, ``receipt.returned``.
    """
    customer = customer_locked(customer_id)
    if customer.deleted_at is not None:
        raise NotFound("customer.unknown", "There is no such customer.")
    receipt = _locked(receipt_id)
    if receipt.customer_id is not None:
        raise Conflict("receipt.assigned", "This money has its owner already.")
    if receipt.returned_at is not None:
        raise Conflict("receipt.returned", "This money was given back.")
    money, at = Money(receipt.amount, receipt.currency), clock.now()
    income = posting(
        key=_key("assign", receipt),
        kind="assignment",
        customer_id=customer_id,
        at=at,
        memo=receipt.number or "",
        debit=AccountName(AccountKind.SUSPENSE),
        credit=[(AccountName(AccountKind.WALLET, customer_id), money)],
    )
    receipt.customer_id = customer_id
    receipt.save(update_fields=["customer"])
    payment_claim(payment_id=receipt.payment_id, customer_id=customer_id)
    audit.record(actor=actor, verb="receipt.assign", row=receipt, new={"customer": customer_id})
    money_book(receipt.id, customer_id, money, receipt.number, income, None, receipt.method, at)
    live.say("payments", "alerts")
    return receipt


@transaction.atomic
def receipt_release(*, receipt_id: UUID, reason: str, actor: str) -> Receipt:
    """Take a receipt from a customer whose money it was not: back into suspense, with reversing entries.

    What was bought with it is taken back with it, the latest purchase first, each whole: its invoice gets a credit
    note, its time ends where it began. Raises NotFound, DomainError ``reason.missing``, Conflict ``receipt.suspense``
    for one of nobody, and ``receipt.spent`` where what it bought cannot be taken back by the book alone.
    """
    if not reason.strip():
        raise DomainError("reason.missing", "Say why: it stays in the audit.", fields={"reason": ["Say why."]})
    owner = Receipt.objects.filter(id=receipt_id).values_list("customer_id", flat=True).first()
    if owner is not None:
        customer_locked(owner)
    receipt = _locked(receipt_id)
    if receipt.customer_id is None or receipt.customer_id != owner:
        raise Conflict("receipt.suspense", "This money has no owner.")
    money, at = Money(receipt.amount, receipt.currency), clock.now()
    back = posting(
        key=_key("release", receipt),
        kind="release",
        customer_id=owner,
        at=at,
        memo=receipt.number or "",
        debit=AccountName(AccountKind.WALLET, owner),
        credit=[(AccountName(AccountKind.SUSPENSE), money)],
    )
    invoices = _bought_last(owner, money - wallet_of(owner, receipt.currency), since=receipt.booked_at)
    for line in sorted((one for row in invoices for one in row.lines.all()), key=lambda one: str(one.subscription_id)):
        if line.subscription_id is not None:
            subscription_locked(line.subscription_id)  # before the balances, as everywhere
    locked = invoices_locked([one.id for one in invoices])
    credits = [
        credit_draft(invoice=row, amount=Money(row.total - row.credited, row.currency), reason=reason.strip(), at=at)
        for row in (locked[one.id] for one in invoices)
    ]
    # In one posting, which takes all balances in their order: whoever attaches money meanwhile wants the same ones.
    post([*(credit.entry for credit in credits), back])
    for invoice in invoices:
        _time_take_back(invoice, reason=reason, actor=actor)
    year = rules_current().local_date(at).year
    for credit in credits:
        credit_write(credit, year=year, by=actor)
    receipt.customer_id = None
    receipt.save(update_fields=["customer"])
    payment_claim(payment_id=receipt.payment_id, customer_id=None)
    audit.record(
        actor=actor,
        verb="receipt.release",
        row=receipt,
        old={"customer": owner},
        new={"credited": ", ".join(one.number for one in invoices)},
        reason=reason,
    )
    live.say("payments", "alerts")
    return receipt


@transaction.atomic
def receipt_return(*, receipt_id: UUID, note: str, actor: str) -> Receipt:
    """Money of nobody was given back to whoever paid it; by what way stands in ``note``. It moves no money itself.

    Raises NotFound, DomainError ``receipt.note``, Conflict ``receipt.assigned``, ``receipt.returned``.
    """
    if not note.strip():
        raise DomainError("receipt.note", "Say how it was given back.", fields={"note": ["Please fill this in."]})
    receipt = _locked(receipt_id)
    if receipt.customer_id is not None:
        raise Conflict("receipt.assigned", "This money has its owner already.")
    if receipt.returned_at is not None:
        raise Conflict("receipt.returned", "This money was given back.")
    at = clock.now()
    entry = posting(
        key=_key("return", receipt),
        kind="return",
        customer_id=None,
        at=at,
        memo=receipt.number or "",
        debit=AccountName(AccountKind.SUSPENSE),
        credit=[
            (AccountName(AccountKind.CLEARING, receipt.payment.account_id), Money(receipt.amount, receipt.currency))
        ],
    )
    post([entry])
    receipt.returned_at, receipt.returned_note = at, note.strip()[:160]
    receipt.save(update_fields=["returned_at", "returned_note"])
    live.say("payments", "alerts")
    audit.record(actor=actor, verb="receipt.return", row=receipt, new={"amount": receipt.amount}, reason=note)
    return receipt


@transaction.atomic
def receipt_return_undo(*, receipt_id: UUID, actor: str) -> Receipt:
    """It was not given back after all: it lies in suspense again. Raises NotFound, Conflict ``receipt.kept``."""
    receipt = _locked(receipt_id)
    if receipt.returned_at is None:
        raise Conflict("receipt.kept", "This money was not given back.")
    entry = posting(
        key=_key("keep", receipt),
        kind="return",
        customer_id=None,
        at=clock.now(),
        memo=receipt.number or "",
        debit=AccountName(AccountKind.CLEARING, receipt.payment.account_id),
        credit=[(AccountName(AccountKind.SUSPENSE), Money(receipt.amount, receipt.currency))],
    )
    post([entry])
    receipt.returned_at, receipt.returned_note = None, ""
    receipt.save(update_fields=["returned_at", "returned_note"])
    live.say("payments", "alerts")
    audit.record(actor=actor, verb="receipt.keep", row=receipt, new={"amount": receipt.amount})
    return receipt


@transaction.atomic
def statement_line_book(*, line_id: UUID, customer_id: UUID | None, actor: str) -> Receipt:
    """Book a line of a statement that no payment has: for the customer staff name, or into suspense for nobody.

    It is booked once, whoever else finds its payment meanwhile. Raises NotFound, Conflict ``receipt.taken``.
    """
    if customer_id is not None and customer_locked(customer_id).deleted_at is not None:
        raise NotFound("customer.unknown", "There is no such customer.")
    line = statement_line_get(line_id)
    payment = money_receive(
        account_id=line.account_id,
        amount=Money(line.amount, line.currency),
        receipt=line.receipt,
        payer_text=line.account_text,
        paid_at=line.at,
        note=f"statement: {line.payer}",
        customer_id=customer_id,
        is_claimed=False,
        actor=actor,
    )
    if payment.customer_id != customer_id:
        raise Conflict("receipt.taken", "This money was booked meanwhile. Look at the list of receipts.")
    return receipt_record(
        payment_id=payment.id,
        customer_id=payment.customer_id,
        account_id=line.account_id,
        amount=line.amount,
        currency=line.currency,
        family=payment.receipt_family,
        number=payment.receipt,
        method=line.account.provider,
        purpose=payment.purpose,
        purpose_id=payment.purpose_id,
        received_at=payment.paid_at or line.at,
    )


def _locked(receipt_id: UUID) -> Receipt:
    found: Receipt | None = (
        Receipt.objects.select_for_update(of=("self",), no_key=True)
        .select_related("payment")
        .filter(id=receipt_id)
        .first()
    )
    if found is None:
        raise NotFound("receipt.unknown", "There is no such receipt.")
    return found


def _key(word: str, receipt: Receipt) -> str:
    """What the same receipt goes through again has a number: ``assign:<id>``, ``assign:<id>:2``. Under its lock."""
    before = LedgerEntry.objects.filter(key__startswith=f"{word}:{receipt.id}").count()
    return f"{word}:{receipt.id}:{before + 1}" if before else f"{word}:{receipt.id}"


def _bought_last(customer_id: UUID, missing: Money, *, since: datetime) -> list[Invoice]:
    """The latest invoices that must be taken back for so much to be in the wallet, latest first."""
    if missing.amount <= 0:
        return []
    rows = (
        Invoice.objects.filter(customer_id=customer_id, state=Invoice.State.PAID, total__gt=0, issued_at__gte=since)
        .prefetch_related("lines")
        .order_by("-issued_at", "-number")
    )
    found = []
    for invoice in rows:
        found.append(invoice)
        missing -= Money(invoice.total - invoice.credited, invoice.currency)
        if missing.amount <= 0:
            return found
    raise Conflict("receipt.spent", "What was bought with this money is older than it. Correct it by hand.")


def _time_take_back(invoice: Invoice, *, reason: str, actor: str) -> None:
    """The time an invoice bought ends where it began."""
    for line in invoice.lines.all():
        if line.subscription_id is None or line.period_from is None:
            continue
        expires_at = Subscription.objects.values_list("expires_at", flat=True).get(id=line.subscription_id)
        if expires_at != line.period_until:
            raise Conflict("receipt.spent", "The time that was bought has been changed since. Correct it by hand.")
        subscription_expiry_set(
            subscription_id=line.subscription_id, expires_at=line.period_from, reason=reason, actor=actor
        )
