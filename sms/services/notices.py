"""Which message tells what: from an event to words."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import formats, timezone, translation

from accounts.models import Tenant
from accounts.selectors import tenant_current
from customers.selectors import customer_get, phone_of
from ispbilling.kernel.money import Money
from sms.models import Message
from sms.services.outgoing import message_send


@transaction.atomic
def receipt_tell(
    *,
    receipt_id: UUID,
    customer_id: UUID,
    amount: Decimal,
    currency: str,
    number: str | None,
    expires_at: datetime | None,
    wallet: Decimal,
) -> Message | None:
    """Money was booked: one message a receipt."""
    values = {
        "amount": str(Money(amount, currency)),
        "receipt": number or "–",
        "wallet": str(Money(wallet, currency)),
        "expires": _when(expires_at, tenant_current()),
    }
    code = "payment_received" if expires_at is not None else "payment_kept"
    return _tell(code, f"receipt:{receipt_id}", customer_id, values)


@transaction.atomic
def expiry_near_tell(*, subscription_id: UUID, customer_id: UUID, days: int, expires_at: datetime) -> Message | None:
    """A reminder fell due: one message a reminder and expiry."""
    values = {"days": str(days), "expires": _when(expires_at, tenant_current())}
    return _tell("expiry_near", f"reminder:{subscription_id}:{expires_at.isoformat()}:{days}", customer_id, values)


@transaction.atomic
def suspended_tell(*, subscription_id: UUID, customer_id: UUID, expired_at: datetime) -> Message | None:
    """A subscription ran out: one message an expiry."""
    values = {"expires": _when(expired_at, tenant_current())}
    return _tell("suspended", f"suspended:{subscription_id}:{expired_at.isoformat()}", customer_id, values)


@transaction.atomic
def renewed_tell(
    *, subscription_id: UUID, customer_id: UUID, amount: Decimal, currency: str, expires_at: datetime
) -> Message | None:
    """A subscription renewed itself from the wallet: one message a renewal."""
    values = {"amount": str(Money(amount, currency)), "expires": _when(expires_at, tenant_current())}
    return _tell("renewed", f"renewed:{subscription_id}:{expires_at.isoformat()}", customer_id, values)


@transaction.atomic
def cuts_stopped_tell(*, stop_id: UUID, cause: str, detail: str, would_cut: int, of_active: int) -> Message | None:
    """Cutting was stopped: one message to the tenant's own telephone, if it has one; the staff's pages show it too."""
    to = tenant_current().support_phone
    if not to:
        return None
    values = {"count": str(would_cut), "active": str(of_active), "detail": detail}
    code = "cuts_stopped" if cause == "brake" else f"cuts_stopped_{cause}"
    return message_send(code=code, key=f"cuts_stopped:{stop_id}", to=to, values=values)


def _tell(code: str, key: str, customer_id: UUID, values: dict[str, str]) -> Message | None:
    """A customer without a telephone is told nothing; that is not an error."""
    to = phone_of(customer_id)
    if to is None:
        return None
    customer = customer_get(customer_id)
    return message_send(
        code=code,
        key=key,
        to=to,
        customer_id=customer_id,
        values={"name": customer.name, "code": customer.code, **values},
    )


def _when(instant: datetime | None, tenant: Tenant) -> str:
    if instant is None:
        return ""
    with translation.override("en"):
        return formats.date_format(timezone.localtime(instant, tenant.zone_info), "j M Y H:i")
