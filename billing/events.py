"""What happens in billing."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from ispbilling.kernel.events import event


@event("billing.receipt_booked")
class ReceiptBooked:
    """Money of a known customer is in the book. ``expires_at``: paid until, when the money bought time."""

    receipt_id: UUID
    customer_id: UUID
    amount: Decimal
    currency: str
    number: str | None
    invoice_number: str
    expires_at: datetime | None
    wallet: Decimal


@event("billing.subscription_changed")
class SubscriptionChanged:
    """A subscription allows something else than before: whoever carries it out looks it up afresh."""

    subscription_id: UUID
    customer_id: UUID


@event("billing.subscription_suspended")
class SubscriptionSuspended:
    """A subscription ran out."""

    subscription_id: UUID
    customer_id: UUID
    expired_at: datetime


@event("billing.subscription_renewed")
class SubscriptionRenewed:
    """A subscription was renewed from the wallet, by itself."""

    subscription_id: UUID
    customer_id: UUID
    amount: Decimal
    currency: str
    expires_at: datetime


@event("billing.expiry_near")
class ExpiryNear:
    """A reminder fell due: so many days are left."""

    subscription_id: UUID
    customer_id: UUID
    days: int
    expires_at: datetime


@event("billing.cuts_stopped")
class CutsStopped:
    """Nobody is cut any more: too many at once, or the clock or a gateway cannot be trusted. Staff must look."""

    stop_id: UUID
    cause: str
    detail: str
    would_cut: int
    of_active: int
