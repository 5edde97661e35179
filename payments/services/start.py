"""Starting a payment: the intention is written first, the gateway is called with no lock held."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from ispbilling.kernel import clock, live
from ispbilling.kernel.errors import DomainError, NotFound, Refused, Retryable
from ispbilling.kernel.failpoints import failpoint
from ispbilling.kernel.ids import short_code
from ispbilling.kernel.money import Money
from ispbilling.kernel.postgres.connections import insist
from ispbilling.kernel.states import state_move
from payments.accounts import provider_of
from payments.models import Payment, PaymentAttempt, ProviderAccount
from payments.providers.base import Attempt, Instructions, PaymentProvider, PushSent, providers
from payments.services.listening import account_heard

#: A second tap within this time gets the payment that is under way, not a second prompt on the phone.
DOUBLE_TAP = timedelta(minutes=2)


def payment_start(
    *,
    account_id: UUID,
    customer_id: UUID,
    amount: Money,
    purpose: str,
    purpose_id: UUID,
    phone: str = "",
    idempotency_key: str,
    description: str,
    actor: str,
) -> Payment:
    """Ask a gateway to collect ``amount``. Call outside a transaction: the gateway is spoken to in between.

    The same key, or a second tap within two minutes, gives the payment that is under way. ``phone`` is E.164. A gateway
    that does not answer leaves the payment pending; one that refuses, failed. Raises NotFound, DomainError.
    """
    if connection.in_atomic_block:
        raise transaction.TransactionManagementError("a gateway is not called inside a transaction")
    payment, attempt, provider = _prepare(
        account_id, customer_id, amount, purpose, purpose_id, phone, idempotency_key, actor
    )
    if attempt is None:
        return payment
    failpoint("payments.start.before_call")
    call = call_of(payment, attempt, description)
    try:
        started = provider.start(call)
    except Refused as error:
        refusal = (error.code, error.provider_code, error.detail)
        return insist(lambda: _refused(payment.id, attempt.id, *refusal))
    except Retryable as error:
        code = error.code
        if not error.sent:
            return insist(lambda: _refused(payment.id, attempt.id, "payment.away", "", code))
        return insist(lambda: _started(payment.id, attempt.id, None, code, provider))
    failpoint("payments.start.after_call")
    reference = started.gateway_reference if isinstance(started, PushSent) else None
    text = started.text if isinstance(started, Instructions | PushSent) else ""
    kept = insist(lambda: _started(payment.id, attempt.id, reference, text, provider))
    account_heard(account_id=account_id)
    return kept


@transaction.atomic
def _prepare(
    account_id: UUID,
    customer_id: UUID,
    amount: Money,
    purpose: str,
    purpose_id: UUID,
    phone: str,
    idempotency_key: str,
    actor: str,
) -> tuple[Payment, PaymentAttempt | None, PaymentProvider]:
    account = ProviderAccount.objects.filter(id=account_id, is_enabled=True).first()
    if account is None:
        raise NotFound("payment.account", "This way of paying is not offered.")
    provider = provider_of(account)
    adapter = providers.get(account.provider)
    if adapter.needs_phone and not phone:
        raise DomainError("payment.phone", "A telephone number is needed.", fields={"phone": ["Please fill this in."]})
    if adapter.currencies and amount.currency not in adapter.currencies:
        raise DomainError("payment.currency", f"{adapter.title} does not take {amount.currency}.")
    asked = amount.round_up(adapter.smallest_unit)
    if asked.amount <= 0:
        raise DomainError("payment.amount", "There is nothing to pay.")
    # Two taps at once wait here for each other; then the second finds the first one's row.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"payment:{customer_id}"])
    now = clock.machine_now()
    same = Payment.objects.filter(idempotency_key=idempotency_key).first()
    same = (
        same
        or Payment.objects.filter(
            account=account,
            customer_id=customer_id,
            purpose=purpose,
            purpose_id=purpose_id,
            amount=asked.amount,
            phone=phone,
            state__in=[Payment.State.INITIATED, Payment.State.PENDING],
            started_at__gt=now - DOUBLE_TAP,
        ).first()
    )
    if same is not None:
        return same, None, provider
    payment = Payment.objects.create(
        account=account,
        customer_id=customer_id,
        amount=asked.amount,
        currency=asked.currency,
        phone=phone,
        purpose=purpose,
        purpose_id=purpose_id,
        idempotency_key=idempotency_key,
        receipt_family=adapter.receipt_family,
        created_at=clock.now(),
        started_at=now,
    )
    # Asked about once even if this process dies before the gateway's answer is written.
    attempt = PaymentAttempt.objects.create(
        payment=payment,
        account=account,
        reference="P" + short_code(11),
        started_at=now,
        next_query_at=now + timedelta(seconds=adapter.query_at_s[0]) if adapter.query_at_s else None,
    )
    failpoint("payments.start.before_commit")
    return payment, attempt, provider


def call_of(payment: Payment, attempt: PaymentAttempt, description: str) -> Attempt:
    return Attempt(
        reference=attempt.reference,
        amount=payment.money,
        phone=payment.phone,
        description=description,
        callback_url=f"{settings.PUBLIC_URL}/hooks/p/{payment.account.token}/{attempt.token}",
        gateway_reference=attempt.gateway_reference or "",
        started_at=attempt.started_at,
    )


@transaction.atomic
def _started(
    payment_id: UUID, attempt_id: UUID, reference: str | None, text: str, provider: PaymentProvider
) -> Payment:
    payment = Payment.objects.select_for_update(no_key=True).get(id=payment_id)
    attempt = PaymentAttempt.objects.select_for_update(no_key=True).get(id=attempt_id)
    # A callback that overtook the answer has written the reference already; an answer without one must not undo that.
    attempt.gateway_reference, attempt.detail = reference or attempt.gateway_reference, text[:300]
    attempt.save(update_fields=["gateway_reference", "detail"])
    if payment.state == Payment.State.INITIATED:  # the callback may have overtaken the answer
        state_move(payment, to=Payment.State.PENDING, by="system:payments")
    live.say("payments")
    return payment


@transaction.atomic
def _refused(payment_id: UUID, attempt_id: UUID, reason: str, code: str, detail: str) -> Payment:
    payment = Payment.objects.select_for_update(no_key=True).get(id=payment_id)
    PaymentAttempt.objects.filter(id=attempt_id).update(code=code[:40], detail=detail[:300], next_query_at=None)
    if payment.is_open:
        word = reason.rpartition(".")[2][:20]
        state_move(payment, to=Payment.State.FAILED, by="system:payments", reason=detail, changes={"reason": word})
        live.say("payments", *([f"customer:{payment.customer_id}"] if payment.customer_id else []))
    return payment
