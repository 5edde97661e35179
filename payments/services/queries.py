"""Asking gateways what became of payments they have not told us about."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction

from ispbilling.kernel import audit, clock, live, wake
from ispbilling.kernel.errors import NotFound, Refused, Retryable
from ispbilling.kernel.failpoints import failpoint
from ispbilling.kernel.sets import rows_update
from ispbilling.kernel.states import state_move
from payments.accounts import provider_of
from payments.models import Payment, PaymentAttempt
from payments.providers.base import Outcome, PaymentProvider, Result, providers
from payments.services.listening import account_heard
from payments.services.settle import payment_settle
from payments.services.start import call_of
from payments.services.statement import statement_wanted

log = structlog.get_logger(__name__)

BATCH = 50
#: A question that is not answered for so long is put to the statement.
LONG = timedelta(minutes=4)
#: After the provider's own instants: every quarter of an hour for an hour, then every hour. An answer after a day is
#: the last word; a gateway that gives none is asked on, until its own memory is over.
QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
DAY, MONTH = timedelta(days=1), timedelta(days=30)


def attempts_ask() -> int:
    """Ask about the current tenant's due attempts, a batch. Call outside a transaction. Returns how many were asked."""
    claimed = _claim()
    for attempt, provider in claimed:
        _ask(attempt, provider)
    return len(claimed)


#: A person may have a gateway asked once in so long.
ASK_AGAIN = timedelta(seconds=30)


@transaction.atomic
def payment_ask(*, payment_id: UUID, actor: str) -> bool:
    """Make a payment's attempts due to be asked about at once, and its statement to be read.

    False where that was done within the last half minute, or nothing was begun. Raises NotFound.
    """
    payment = Payment.objects.select_for_update(no_key=True).filter(id=payment_id).first()
    if payment is None:
        raise NotFound("payment.unknown", "There is no such payment.")
    now = clock.machine_now()
    attempts = list(PaymentAttempt.objects.select_for_update(no_key=True).filter(payment=payment))
    if not attempts or any(
        one.asked_at is not None and timedelta(0) <= now - one.asked_at < ASK_AGAIN for one in attempts
    ):
        return False
    for attempt in attempts:
        attempt.next_query_at, attempt.asked_at = now, now
    rows_update(attempts, ["next_query_at", "asked_at"])
    statement_wanted(account_id=payment.account_id)
    audit.record(actor=actor, verb="payment.ask", row=payment)
    wake.on_commit("attempts", [None])
    return True


@transaction.atomic
def _claim() -> list[tuple[PaymentAttempt, PaymentProvider]]:
    """Take due attempts and set when they are due next, so that two sweeps never ask about the same one."""
    now = clock.machine_now()
    due = list(
        PaymentAttempt.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
        .filter(clock.has_come("next_query_at", longest=PaymentAttempt.LONGEST_WAIT))
        .select_related("payment__account", "account")
        .order_by("next_query_at")[:BATCH]
    )
    for attempt in due:
        attempt.queries += 1
        attempt.next_query_at = next_query(attempt.account.provider, attempt.started_at, now)
    rows_update(due, ["queries", "next_query_at"])
    return [(attempt, provider_of(attempt.account)) for attempt in due]


def next_query(provider: str, started_at: datetime, now: datetime) -> datetime | None:
    """When to ask again about an attempt that nobody has answered for; None once a month is over."""
    age = now - started_at
    for seconds in providers.get(provider).query_at_s:
        if timedelta(seconds=seconds) > age:
            return started_at + timedelta(seconds=seconds)
    if age < HOUR:
        return now + QUARTER
    return now + HOUR if age < MONTH else None


def _ask(attempt: PaymentAttempt, provider: PaymentProvider) -> None:
    payment: Payment = attempt.payment
    result = Result(Outcome.PENDING)
    is_unanswered = False
    if attempt.gateway_reference and provider.can_query:
        failpoint("payments.query.before_call")
        is_unanswered = True
        try:
            result = provider.query(call_of(payment, attempt, ""))
            is_unanswered = False
            account_heard(account_id=attempt.account_id)
            failpoint("payments.query.after_call")
        except (Retryable, Refused) as error:
            log.info("payment.query_unanswered", attempt=attempt.reference, error=error.code)
    if provider.can_list and _is_for_the_statement(attempt, result):
        statement_wanted(account_id=attempt.account_id)
    if result.outcome is not Outcome.PENDING:
        payment_settle(payment_id=payment.id, attempt_id=attempt.id, result=result)
        return
    age = clock.machine_now() - attempt.started_at
    if age >= timedelta(seconds=provider.expires_after_s):
        _expire(payment.id)
    if age >= DAY and not is_unanswered:
        _rest(attempt.id)


def _is_for_the_statement(attempt: PaymentAttempt, result: Result) -> bool:
    """Whether only the statement can tell: there is nothing to ask by, or what was answered has no receipt number."""
    if result.outcome is Outcome.PENDING:
        is_over = clock.machine_now() - attempt.started_at > LONG
        return not attempt.gateway_reference or is_over
    return result.outcome is Outcome.SUCCEEDED and result.receipt is None


@transaction.atomic
def _rest(attempt_id: UUID) -> None:
    PaymentAttempt.objects.filter(id=attempt_id).update(next_query_at=None)


@transaction.atomic
def _expire(payment_id: UUID) -> None:
    """Our timer ran out and the gateway did not say paid: shown as expired, and still asked about (``next_query``)."""
    payment = Payment.objects.select_for_update(no_key=True).get(id=payment_id)
    if payment.is_open:
        state_move(
            payment,
            to=Payment.State.EXPIRED,
            by="system:payments",
            reason="no answer in time",
            changes={"reason": "no_answer"},
        )
        live.say("payments", *([f"customer:{payment.customer_id}"] if payment.customer_id else []))
