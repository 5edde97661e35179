"""Reading what gateways list: money that no callback and no question told us of.

From a durable cursor, with as much overlap as an entry may be late, so that nothing is read too early to be seen. Each
entry is settled once through ``payment_settle``; what fits no payment is kept as a line for staff.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least

from ispbilling.kernel import clock
from ispbilling.kernel.errors import Refused, Retryable
from payments.accounts import provider_of
from payments.matching import AFTER, BEFORE, Candidate, matched, plain
from payments.models import Payment, PaymentAttempt, ProviderAccount, StatementLine
from payments.providers.base import Outcome, PaymentProvider, Result, StatementEntry
from payments.services.listening import account_heard
from payments.services.settle import payment_settle

log = structlog.get_logger(__name__)

#: Read in parts, so that a cursor that was left behind moves on part by part.
PART = timedelta(hours=6)
#: No part has so many pages: whoever is led on and on is led in a circle.
MOST_PAGES = 500
#: Two readings lie so far apart, however much is wanted; an answer that did not come is asked for again after a minute.
GAP, AGAIN = timedelta(seconds=20), timedelta(minutes=1)


@transaction.atomic
def statement_wanted(*, account_id: UUID) -> None:
    """Something is to be found in the account's statement: read it soon. Nothing where it is not read at all."""
    now = clock.machine_now()
    soon = Least("statement_due_at", Greatest(F("statement_read_at") + GAP, now))
    rows = ProviderAccount.objects.filter(id=account_id, statement_due_at__gt=now)
    rows.update(statement_due_at=soon)


def statement_read(*, account_id: UUID) -> int | None:
    """Read an account's statement if it is due. Call outside a transaction: the gateway is spoken to.

    Returns how many payments were settled or got their receipt, None when it was not due or could not be read.
    """
    claimed = _claim(account_id)
    if claimed is None:
        return None
    account, provider, since = claimed
    try:
        if account.statement_registered_at is None:
            provider.list_register(f"{settings.PUBLIC_URL}/hooks/p/{account.token}/statement")
            _note(account_id, statement_registered_at=clock.machine_now())
        found = _read(account, provider, since)
    except Retryable as error:
        log.info("statement.unread", account=str(account_id), error=error.code)
        _note(account_id, statement_error=f"{error.code} {error.detail}"[:300], statement_due_at=_in(AGAIN))
        return None
    except Refused as error:
        log.warning("statement.refused", account=str(account_id), error=error.code)
        _note(account_id, statement_error=f"{error.code} {error.provider_code} {error.detail}"[:300])
        return None
    account_heard(account_id=account_id)
    return found


@transaction.atomic
def _claim(account_id: UUID) -> tuple[ProviderAccount, PaymentProvider, datetime] | None:
    """Take a due account and set when it is due next, so that two never read the same at once."""
    now = clock.machine_now()
    account: ProviderAccount | None = (
        ProviderAccount.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(clock.has_come("statement_due_at", longest=ProviderAccount.STATEMENT_EVERY), id=account_id)
        .first()
    )
    if account is None:
        return None
    provider = provider_of(account)
    is_read = provider.lists(account.config)
    account.statement_due_at = now + ProviderAccount.STATEMENT_EVERY if is_read else None
    account.statement_read_at = now
    account.save(update_fields=["statement_due_at", "statement_read_at"])
    if not is_read:
        return None
    # A cursor may stand in the future: a clock that ran ahead wrote it.
    until = min(account.statement_until, now) if account.statement_until else now - provider.list_window
    return account, provider, max(until - provider.list_lateness, now - provider.list_window)


def _read(account: ProviderAccount, provider: PaymentProvider, since: datetime) -> int:
    now, found = clock.machine_now(), 0
    while since < now:
        until = min(since + PART, now)
        page = ""
        for _ in range(MOST_PAGES):
            part = provider.transactions_between(since, until, page)
            found += statement_take(account_id=account.id, family=provider.receipt_family, entries=part.entries)
            if part.unread:
                log.warning("statement.unread_rows", account=str(account.id), count=part.unread)
            page = part.next_page
            if not page:
                break
        else:
            raise Retryable("payment.list", "the statement has no last page")
        since = until
        _note(account.id, statement_until=until, statement_error="")
    return found


def statement_take(*, account_id: UUID, family: str, entries: Sequence[StatementEntry]) -> int:
    """Let entries of a statement become what they are; harmless however often one is told.

    ``family``: whose receipts they have. Returns how many payments were settled or got their receipt.
    """
    if not entries:
        return 0
    candidates = _candidates(account_id, entries)
    found = 0
    for entry in entries:
        one = matched(entry, candidates) if _is_new(family, entry) else None
        if one is None:
            continue
        candidates.remove(one)  # a payment is paid by one entry
        result = Result(
            Outcome.SUCCEEDED,
            receipt=entry.receipt,
            amount=entry.amount,
            paid_at=entry.at,
            payer=entry.payer,
            code="statement",
            detail="found in the gateway's statement",
        )
        done = payment_settle(payment_id=one.payment_id, attempt_id=one.attempt_id, result=result)
        log.info("statement.found", payment=str(one.payment_id), outcome=done)
        found += done in ("settled", "receipt_learned")
    _keep(account_id, family, entries)
    return found


@transaction.atomic
def _candidates(account_id: UUID, entries: Sequence[StatementEntry]) -> list[Candidate]:
    """Attempts that may be among the entries: not settled, or settled without a receipt."""
    times = [entry.at for entry in entries if entry.at is not None]
    fits = Q(reference__in={plain(entry.account_text) for entry in entries})
    if times:
        fits |= Q(started_at__gte=min(times) - AFTER, started_at__lte=max(times) + BEFORE)
    rows = (
        PaymentAttempt.objects.filter(fits, account_id=account_id, payment__receipt=None)
        .select_related("payment")
        .order_by("started_at", "id")
    )
    return [
        Candidate(
            row.payment_id,
            row.id,
            row.reference,
            row.payment.phone,
            row.payment.money,
            row.started_at,
            is_settled=row.payment.state == Payment.State.SUCCEEDED,
        )
        for row in rows
    ]


@transaction.atomic
def _is_new(family: str, entry: StatementEntry) -> bool:
    """Whether no payment has this receipt: an entry told twice must not be looked for among other payments."""
    return not Payment.objects.filter(receipt_family=family, receipt=entry.receipt).exists()


@transaction.atomic
def _keep(account_id: UUID, family: str, entries: Sequence[StatementEntry]) -> None:
    """Write down what no payment has, once."""
    receipts = [entry.receipt for entry in entries]
    known = set(Payment.objects.filter(receipt_family=family, receipt__in=receipts).values_list("receipt", flat=True))
    now = clock.machine_now()
    StatementLine.objects.bulk_create(
        [
            StatementLine(
                account_id=account_id,
                receipt_family=family,
                receipt=entry.receipt,
                amount=entry.amount.amount,
                currency=entry.amount.currency,
                at=entry.at or now,
                payer=entry.payer[:80],
                account_text=entry.account_text[:120],
                kind=entry.kind[:40],
                seen_at=now,
            )
            for entry in entries
            if entry.receipt not in known
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def _note(account_id: UUID, **values: object) -> None:
    ProviderAccount.objects.filter(id=account_id).update(**values)


def _in(wait: timedelta) -> datetime:
    return clock.machine_now() + wait
