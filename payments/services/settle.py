"""The end of a payment: what a gateway said, believed, becomes state and an event, once."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F

from ispbilling.kernel import audit, clock, live
from ispbilling.kernel.errors import NotFound
from ispbilling.kernel.events import emit
from ispbilling.kernel.failpoints import failpoint
from ispbilling.kernel.money import Money
from ispbilling.kernel.states import state_move
from payments import resolvers
from payments.events import PaymentReceiptLearned, PaymentSucceeded
from payments.models import Payment, PaymentAttempt, ProviderAccount
from payments.providers.base import Outcome, Result, providers

log = structlog.get_logger(__name__)

_ENDS = {
    Outcome.FAILED: Payment.State.FAILED,
    Outcome.CANCELLED: Payment.State.CANCELLED,
    Outcome.EXPIRED: Payment.State.EXPIRED,
}


@transaction.atomic(savepoint=False)
def payment_settle(*, payment_id: UUID, attempt_id: UUID, result: Result) -> str:
    """Let a payment become what its gateway says, which the caller has verified. Returns what was done, in a word.

    ``settled``, ``repeated`` (nothing to do), ``receipt_learned``, ``receipt_conflict`` (the receipt belongs to
    another payment: nothing is booked), ``ended``, ``ignored`` (bad news after good), ``pending``.
    """
    payment = (
        Payment.objects.select_for_update(of=("self",), no_key=True)
        .annotate(method=F("account__provider"))
        .get(id=payment_id)
    )
    if result.outcome is Outcome.PENDING:
        return "pending"
    if result.outcome is Outcome.SUCCEEDED:
        return _succeed(payment, attempt_id, result)
    PaymentAttempt.objects.filter(id=attempt_id).update(code=result.code[:40], detail=result.detail[:300])
    if not payment.is_open:
        return "repeated" if payment.state == _ENDS[result.outcome] else "ignored"
    state_move(
        payment,
        to=_ENDS[result.outcome],
        by="system:payments",
        reason=f"{result.code} {result.detail}".strip(),
        changes={"reason": result.reason[:20]},
    )
    live.say("payments", _key(payment))
    return "ended"


def _succeed(payment: Payment, attempt_id: UUID, result: Result) -> str:
    if payment.state == Payment.State.SUCCEEDED:
        if result.receipt and payment.receipt is None:
            return _learn_receipt(payment, result.receipt)
        return "repeated"
    paid = result.amount or payment.money
    was_open = payment.is_open
    try:
        with transaction.atomic():
            state_move(
                payment,
                to=Payment.State.SUCCEEDED,
                by="system:payments",
                reason=f"{result.code} {result.detail}".strip(),
                changes={
                    "receipt": result.receipt,
                    "paid_amount": paid.amount,
                    "paid_at": clock.now(),
                    "is_late": not was_open,
                    "reason": "",
                },
            )
    except IntegrityError:
        log.error("payment.receipt_conflict", payment=str(payment.id), receipt=result.receipt)
        return "receipt_conflict"
    PaymentAttempt.objects.filter(id=attempt_id).update(
        code=result.code[:40], detail=result.detail[:300], next_query_at=None
    )
    _tell(payment, Money(paid.amount, paid.currency), method=payment.method)  # type: ignore[attr-defined]
    failpoint("payments.settle.before_commit")
    return "settled"


def _learn_receipt(payment: Payment, receipt: str) -> str:
    try:
        with transaction.atomic():
            payment.receipt = receipt
            payment.save(update_fields=["receipt"])
    except IntegrityError:
        log.error("payment.receipt_conflict", payment=str(payment.id), receipt=receipt)
        return "receipt_conflict"
    emit(PaymentReceiptLearned(payment_id=payment.id, receipt=receipt), key=_key(payment))
    return "receipt_learned"


@transaction.atomic
def payment_claim(*, payment_id: UUID, customer_id: UUID | None) -> None:
    """Whose money a settled payment is was decided later, or taken back: None is nobody."""
    Payment.objects.filter(id=payment_id, state=Payment.State.SUCCEEDED).update(customer_id=customer_id)


def _key(payment: Payment) -> str:
    return f"customer:{payment.customer_id}" if payment.customer_id else f"payment:{payment.id}"


def _tell(payment: Payment, paid: Money, *, method: str) -> None:
    assert payment.paid_at is not None
    emit(
        PaymentSucceeded(
            payment_id=payment.id,
            customer_id=payment.customer_id,
            account_id=payment.account_id,
            amount=paid.amount,
            currency=paid.currency,
            receipt_family=payment.receipt_family,
            receipt=payment.receipt,
            method=method,
            purpose=payment.purpose,
            purpose_id=payment.purpose_id,
            paid_at=payment.paid_at,
        ),
        key=_key(payment),
    )


@transaction.atomic
def money_receive(
    *,
    account_id: UUID,
    amount: Money,
    receipt: str,
    payer_text: str,
    phone: str = "",
    paid_at: datetime | None = None,
    note: str = "",
    customer_id: UUID | None = None,
    is_claimed: bool = True,
    actor: str,
) -> Payment:
    """Money that came without our asking (cash over the counter, a transfer): born settled, exactly once a receipt.

    ``payer_text`` is what the payer gave as account; whom nobody knows pays into suspense. ``customer_id`` is who staff
    say it is; without it and with ``is_claimed`` false it is nobody's, whatever was typed. ``note`` is for the audit.
    Raises NotFound.
    """
    account = ProviderAccount.objects.filter(id=account_id).first()
    if account is None:
        raise NotFound("payment.account", "There is no such account.")
    family = providers.get(account.provider).receipt_family
    known = Payment.objects.filter(receipt_family=family, receipt=receipt).first()
    if known is not None:
        return known
    now = clock.now()
    owner = customer_id or (resolvers.resolve(payer_text, phone) if is_claimed else None)
    try:
        with transaction.atomic():
            payment: Payment = Payment.objects.create(
                account=account,
                customer_id=owner,
                amount=amount.amount,
                currency=amount.currency,
                phone=phone,
                idempotency_key=f"{family}:{receipt}"[:80],
                state=Payment.State.SUCCEEDED,
                receipt_family=family,
                receipt=receipt,
                paid_amount=amount.amount,
                paid_at=paid_at or now,
                payer_text=payer_text[:120],
                created_at=now,
                started_at=clock.machine_now(),
            )
    except IntegrityError:
        found: Payment = Payment.objects.get(receipt_family=family, receipt=receipt)
        return found
    new = {"amount": amount.amount, "receipt": receipt}
    audit.record(actor=actor, verb="payment.receive", row=payment, new=new, reason=note)
    _tell(payment, amount, method=account.provider)
    return payment
