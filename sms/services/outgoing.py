"""The only door through which messages leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction

from accounts.selectors import tenant_current
from customers.selectors import customer_get
from ispbilling.kernel import clock, wake
from ispbilling.kernel.failpoints import failpoint
from ispbilling.kernel.postgres.connections import insist
from ispbilling.kernel.sets import rows_update
from sms.channels.base import Channel, ChannelSettings, Delivery, Outgoing, Report, Sent, channels
from sms.filling import filled
from sms.models import ChannelAccount, DeliveryReport, Message, Template
from sms.wording import TEST, text_of

log = structlog.get_logger(__name__)

BATCH = 100
MAX_ATTEMPTS = 6
#: News older than this is not sent any more: an outage of a day does not end in a storm of old reminders.
AGE_LIMIT = timedelta(hours=12)
#: How long messages that were taken are left to whoever took them.
CLAIM = timedelta(minutes=1)
#: A worker that died while sending leaves its messages in this state; whether they left is then not known.
SENDING_LIMIT = timedelta(minutes=5)

#: Asked of the provider, and its name for them not known.
_NAMELESS = (Message.State.SENDING, Message.State.UNKNOWN)

_STATES = {
    Delivery.ACCEPTED: Message.State.ACCEPTED,
    Delivery.DELIVERED: Message.State.DELIVERED,
    Delivery.FAILED: Message.State.FAILED,
    Delivery.UNKNOWN: Message.State.UNKNOWN,
}


@transaction.atomic
def message_send(
    *,
    code: str,
    key: str,
    to: str,
    customer_id: UUID | None = None,
    values: Mapping[str, str],
    is_secret: bool = False,
) -> Message:
    """Queue one message, worded in the customer's language. The same ``key`` queues nothing new.

    ``to`` is E.164. It leaves after the commit, through the tenant's first enabled account.
    """
    known: Message | None = Message.objects.filter(key=key).first()
    if known is not None:
        return known
    tenant = tenant_current()
    language = tenant.language
    if customer_id is not None:
        language = customer_get(customer_id).language or language
    own = Template.objects.filter(code=code, language=language).values_list("body", flat=True).first()
    text = filled(own or text_of(code, language), {"isp": tenant.name, **values})
    return message_queue(code=code, key=key, to=to, text=text, customer_id=customer_id, is_secret=is_secret)


@transaction.atomic
def message_queue(
    *,
    code: str,
    key: str,
    to: str,
    text: str,
    customer_id: UUID | None = None,
    is_secret: bool = False,
    account: ChannelAccount | None = None,
    again_of: Message | None = None,
) -> Message:
    """Queue one message as it is worded. The same ``key`` queues nothing new; ``account`` is for ``TEST`` alone."""
    now = clock.machine_now()
    try:
        with transaction.atomic():
            message: Message = Message.objects.create(
                customer_id=customer_id,
                code=code,
                key=key,
                to=to,
                text=text,
                is_secret=is_secret,
                account=account,
                again_of=again_of,
                next_try_at=now,
                created_at=clock.now(),
                queued_at=now,
                changed_at=now,
            )
    except IntegrityError:
        found: Message = Message.objects.get(key=key)
        return found
    wake.on_commit("messages", [None])
    failpoint("sms.queue.before_commit")
    return message


def messages_send() -> int:
    """Send the current tenant's due messages, a batch. Call outside a transaction. Returns how many were tried."""
    claimed, until = _claim()
    for account_id, group in groupby(claimed, key=lambda message: message.account_id):
        messages = list(group)
        channel = _channel_of(account_id) if account_id else None
        if channel is None:
            continue
        for text, same in groupby(messages, key=lambda message: message.text):
            batch = list(same)
            for start in range(0, len(batch), channel.batch_size):
                _send(channel, text, batch[start : start + channel.batch_size], until)
    return len(claimed)


@transaction.atomic
def _claim() -> tuple[list[Message], datetime]:
    """Take due messages, so that nobody else does for a while: (the messages, the end of that while).

    They stay ``queued`` until the very call that carries them: a process that is killed leaves nothing unclear but what
    it was just asking the provider for.
    """
    now = clock.machine_now()
    until = now + CLAIM
    account = ChannelAccount.objects.filter(is_enabled=True).order_by("sort_order", "label").first()
    due = list(
        Message.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(clock.has_come("next_try_at", longest=Message.LONGEST_WAIT))
        .order_by("next_try_at", "id")[:BATCH]
    )
    sendable = []
    for message in due:
        message.changed_at = now
        if message.state == Message.State.SENDING:
            message.state, message.next_try_at = Message.State.UNKNOWN, None
            message.error = "The sender stopped before the provider's answer was written."
        elif now - message.queued_at > AGE_LIMIT:
            message.state, message.next_try_at = Message.State.FAILED, None
            message.error = "Too old to be news."
        elif account is None and message.code != TEST:
            message.next_try_at, message.error = now + timedelta(minutes=1), "No message account is set up."
        else:
            if message.code != TEST:  # a test leaves through the account it is to test
                message.account = account
            message.next_try_at = until
            sendable.append(message)
    rows_update(due, ["state", "account", "next_try_at", "error", "changed_at"])
    if due:
        failpoint("sms.claim.before_commit")
    return sorted(sendable, key=lambda message: (str(message.account_id), message.text, str(message.id))), until


@transaction.atomic
def _begin(messages: Sequence[Message], until: datetime) -> list[Message]:
    """Say that the provider is asked now. What somebody else took since, the claim being over, is left out."""
    ours = Message.objects.select_for_update(no_key=True).filter(
        id__in=[message.id for message in messages], state=Message.State.QUEUED, next_try_at=until
    )
    found = list(ours.order_by("id"))
    now = clock.machine_now()
    for message in found:
        message.state, message.changed_at = Message.State.SENDING, now
        message.attempts += 1
        message.next_try_at = now + SENDING_LIMIT
    rows_update(found, ["state", "attempts", "next_try_at", "changed_at"])
    return found


@transaction.atomic
def _channel_of(account_id: UUID) -> Channel:
    account = ChannelAccount.objects.get(id=account_id)
    adapter = channels.get(account.channel)
    return adapter(ChannelSettings(dict(account.config), account.base_url or adapter.default_base_url))


def _send(channel: Channel, text: str, messages: Sequence[Message], until: datetime) -> None:
    ours = _begin(messages, until)
    if not ours:
        return
    failpoint("sms.send.before_call")
    sent = channel.send([Outgoing(str(message.id), message.to, text) for message in ours])
    failpoint("sms.send.after_call")
    results, ids = {result.id: result for result in sent}, [message.id for message in ours]
    insist(lambda: _record(results, ids))


@transaction.atomic
def _record(results: Mapping[str, Sent], ids: Sequence[UUID]) -> None:
    now = clock.machine_now()
    rows = list(
        Message.objects.select_for_update(no_key=True).filter(id__in=ids, state=Message.State.SENDING).order_by("id")
    )
    for message in rows:
        result = results.get(str(message.id), Sent(str(message.id), Delivery.UNKNOWN, detail="missing in the answer"))
        message.changed_at, message.provider_id = now, result.provider_id[:80]
        message.cost, message.cost_currency = result.cost, result.currency
        message.error = " ".join(part for part in (result.code, result.detail) if part)[:200]
        if result.delivery is not Delivery.RETRY:
            message.state, message.next_try_at = _STATES[result.delivery], None
        elif message.attempts >= MAX_ATTEMPTS:
            message.state, message.next_try_at = Message.State.FAILED, None
        else:
            message.state = Message.State.QUEUED
            message.next_try_at = now + timedelta(seconds=15 * 2**message.attempts)
    fields = ["state", "next_try_at", "provider_id", "cost", "cost_currency", "error", "changed_at"]
    rows_update(rows, fields)
    failpoint("sms.record.before_commit")
    log.info("messages.sent", tried=len(rows), states=sorted({str(message.state) for message in rows}))


@transaction.atomic
def report_apply(*, account_id: UUID, report: Report) -> Message | None:
    """Believe a delivery report about a message we sent through this account; None for one of nobody.

    Never goes back from an end: a repeated or late report changes nothing.
    """
    rows = Message.objects.select_for_update(no_key=True).filter(account_id=account_id)
    message: Message | None = rows.filter(provider_id=report.provider_id).first()
    if message is None and report.to:
        # The report overtook the answer, or the answer never came: it is for the one message whose id we never learnt.
        nameless = list(rows.filter(to=report.to, provider_id="", state__in=_NAMELESS).order_by("id")[:2])
        message = nameless[0] if len(nameless) == 1 else None
        if message is not None:
            message.provider_id = report.provider_id
            message.save(update_fields=["provider_id"])
    if message is None:
        return None
    DeliveryReport.objects.bulk_create(
        [
            DeliveryReport(
                message=message,
                delivery=report.delivery,
                code=report.code[:60],
                is_final=report.is_final,
                at=clock.machine_now(),
            )
        ],
        ignore_conflicts=True,
    )
    if not report.is_final:
        return message
    to = _STATES.get(report.delivery)
    if to is not None and Message.MOVES.allows(message.state, to):
        message.state, message.error, message.changed_at = to, report.code[:200], clock.machine_now()
        message.next_try_at = None
        message.save(update_fields=["state", "error", "changed_at", "next_try_at"])
    failpoint("sms.report.before_commit")
    return message
