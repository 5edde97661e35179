"""What happens in payments."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from ispbilling.kernel.events import event


@event("payments.event_stored")
class PaymentEventStored:
    """A callback lies in the table and waits to be read."""

    payment_event_id: UUID


@event("payments.succeeded")
class PaymentSucceeded:
    """Money came in, for certain. ``customer_id`` is None for money nobody claims."""

    payment_id: UUID
    customer_id: UUID | None
    account_id: UUID
    amount: Decimal
    currency: str
    receipt_family: str
    receipt: str | None
    method: str
    purpose: str
    purpose_id: UUID | None
    paid_at: datetime


@event("payments.receipt_learned")
class PaymentReceiptLearned:
    """The gateway's receipt number of money that was booked without one."""

    payment_id: UUID
    receipt: str
