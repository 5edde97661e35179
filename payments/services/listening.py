"""Whether gateways speak: money that cannot arrive must not cost anybody his line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from ispbilling.kernel import clock
from ispbilling.kernel.errors import Refused, Retryable, Unsupported
from payments.accounts import provider_of
from payments.models import ProviderAccount

log = structlog.get_logger(__name__)

#: A sign of life is written at most this often, so that a busy account's row is left alone.
WRITE_AFTER = timedelta(minutes=1)


@transaction.atomic
def account_heard(*, account_id: UUID) -> None:
    """A gateway spoke, whatever it said: its callback came, or it answered a question of ours."""
    now = clock.machine_now()
    stale = Q(heard_at=None) | Q(heard_at__lt=now - WRITE_AFTER) | Q(heard_at__gt=now) | Q(silent_since__isnull=False)
    ProviderAccount.objects.filter(stale, id=account_id).update(heard_at=now, silent_since=None)


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of asking a gateway. ``detail`` is its own word, or our name of the trouble; for staff."""

    answer: Answer
    detail: str = ""


class Answer(StrEnum):
    WELL = "well"
    REFUSED = "refused"  # it speaks, and does not like our keys
    SILENT = "silent"
    CANNOT = "cannot"  # this kind of gateway has no question without consequences
    OFF = "off"  # there is no such account in use


def account_listen(*, account_id: UUID) -> bool:
    """Ask a quiet gateway for a sign of life. Call outside a transaction. Returns whether it gave one."""
    return account_ask(account_id=account_id).answer in (Answer.WELL, Answer.REFUSED)


def account_ask(*, account_id: UUID) -> Heard:
    """The same, and what came. Call outside a transaction."""
    with transaction.atomic():
        account = ProviderAccount.objects.filter(id=account_id, is_enabled=True).first()
    if account is None:
        return Heard(Answer.OFF)
    heard = Heard(Answer.WELL)
    try:
        provider_of(account).ping()
    except Unsupported:
        return Heard(Answer.CANNOT)
    except Refused as error:
        # It speaks, and does not like our keys: that is for staff to see, and says nothing about the way to it.
        log.warning("gateway.refused", account=str(account_id), error=error.code)
        heard = Heard(Answer.REFUSED, error.detail or error.provider_code or error.code)
    except Retryable as error:
        log.warning("gateway.silent", account=str(account_id), error=error.code)
        with transaction.atomic():
            now = clock.machine_now()
            ProviderAccount.objects.filter(id=account_id).update(silent_since=Coalesce(F("silent_since"), now))
        return Heard(Answer.SILENT, error.code)
    account_heard(account_id=account_id)
    return heard
