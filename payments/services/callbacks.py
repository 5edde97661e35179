"""Callbacks: stored raw, answered fast, read later by the drainer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction

from ispbilling.kernel import clock
from ispbilling.kernel.errors import Refused, Retryable
from ispbilling.kernel.events import emit
from ispbilling.kernel.failpoints import failpoint
from payments.accounts import provider_of
from payments.events import PaymentEventStored
from payments.models import Payment, PaymentAttempt, PaymentEvent, ProviderAccount
from payments.providers.base import Incoming
from payments.services.listening import account_heard
from payments.services.settle import payment_settle

log = structlog.get_logger(__name__)

#: A callback that overtakes the answer to our call waits so long for it.
ANSWERED_WITHIN = timedelta(seconds=10)


@transaction.atomic
def payment_event_store(
    *,
    account_id: UUID,
    attempt_id: UUID | None,
    has_token: bool,
    body: bytes,
    headers: Mapping[str, str],
    source_address: str,
) -> PaymentEvent:
    """Keep a callback as it came. Whether it is true is found out later."""
    stored: PaymentEvent = PaymentEvent.objects.create(
        account_id=account_id,
        attempt_id=attempt_id,
        has_token=has_token,
        body=body,
        headers=dict(headers),
        source_address=source_address[:45],
        received_at=clock.machine_now(),
    )
    if has_token:
        account_heard(account_id=account_id)
    # Callbacks of one attempt are read in the order they came; those of nobody wait for nobody.
    emit(PaymentEventStored(payment_event_id=stored.id), key=f"attempt:{attempt_id or stored.id}")
    failpoint("payments.event.stored")
    return stored


@transaction.atomic
def payment_event_process(*, payment_event_id: UUID) -> PaymentEvent:
    """Read a stored callback and let its payment become what it says.

    A callback without its attempt's own token is only a hint: the gateway is asked (by the sweep, at once). Amounts
    and references are compared with what we asked for. Raises Retryable ``payment.unanswered`` for one that overtook
    the answer by which it is judged.
    """
    stored: PaymentEvent = PaymentEvent.objects.select_related("account", "attempt__payment").get(id=payment_event_id)
    if stored.processed_at is None:
        stored.outcome = _read(stored)[:40]
        stored.processed_at = clock.machine_now()
        stored.save(update_fields=["outcome", "processed_at"])
        failpoint("payments.event.before_commit")
        log.info("payment.callback", outcome=stored.outcome, account=stored.account.label)
    return stored


def _read(stored: PaymentEvent) -> str:
    account: ProviderAccount = stored.account
    incoming = Incoming(bytes(stored.body), stored.headers, stored.source_address)
    try:
        result = provider_of(account).parse_event(incoming)
    except Refused as error:
        return error.code
    attempt: PaymentAttempt | None = stored.attempt
    if attempt is None:
        return "unmatched"
    if not stored.has_token:
        attempt.claimed_receipt = (result.receipt or "")[:40]
        attempt.next_query_at = clock.machine_now()
        attempt.save(update_fields=["claimed_receipt", "next_query_at"])
        return "to_be_confirmed"
    if not _is_its_reference(attempt, result.gateway_reference):
        log.error("payment.reference_mismatch", attempt=attempt.reference)
        return "reference_mismatch"
    if result.amount is not None and result.amount.currency != attempt.payment.currency:
        return "currency_mismatch"
    return payment_settle(payment_id=attempt.payment_id, attempt_id=attempt.id, result=result)


def _is_its_reference(attempt: PaymentAttempt, reference: str | None) -> bool:
    """Whether a callback at the attempt's own path names the attempt; where its reference is not known, it is now."""
    if not reference or reference == attempt.gateway_reference:
        return True
    if attempt.gateway_reference is not None:
        return False
    if _may_be_answered(attempt):
        raise Retryable("payment.unanswered", "The answer that tells the reference may be on its way.")
    # That answer was lost: the callback's path proves whose it is. Unless the gateway mixed its callbacks up, and this
    # reference is known to be another attempt's.
    attempt.gateway_reference = reference
    try:
        with transaction.atomic():
            attempt.save(update_fields=["gateway_reference"])
    except IntegrityError:
        attempt.gateway_reference = None
        return False
    return True


def _may_be_answered(attempt: PaymentAttempt) -> bool:
    """Whether our call is under way. Its answer is better proof than an address, which somebody may have learnt."""
    age = clock.machine_now() - attempt.started_at
    return attempt.payment.state == Payment.State.INITIATED and timedelta(0) <= age < ANSWERED_WITHIN
