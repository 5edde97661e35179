"""Reactions to billing: what customers are told."""

from billing.events import CutsStopped, ExpiryNear, ReceiptBooked, SubscriptionRenewed, SubscriptionSuspended
from ispbilling.kernel.events import handler
from sms import services


@handler(ReceiptBooked)
def receipt_message(event: ReceiptBooked) -> None:
    services.receipt_tell(
        receipt_id=event.receipt_id,
        customer_id=event.customer_id,
        amount=event.amount,
        currency=event.currency,
        number=event.number,
        expires_at=event.expires_at,
        wallet=event.wallet,
    )


@handler(ExpiryNear)
def reminder_message(event: ExpiryNear) -> None:
    services.expiry_near_tell(
        subscription_id=event.subscription_id,
        customer_id=event.customer_id,
        days=event.days,
        expires_at=event.expires_at,
    )


@handler(SubscriptionSuspended)
def suspension_message(event: SubscriptionSuspended) -> None:
    services.suspended_tell(
        subscription_id=event.subscription_id, customer_id=event.customer_id, expired_at=event.expired_at
    )


@handler(CutsStopped)
def cuts_stopped_message(event: CutsStopped) -> None:
    services.cuts_stopped_tell(
        stop_id=event.stop_id,
        cause=event.cause,
        detail=event.detail,
        would_cut=event.would_cut,
        of_active=event.of_active,
    )


@handler(SubscriptionRenewed)
def renewal_message(event: SubscriptionRenewed) -> None:
    services.renewed_tell(
        subscription_id=event.subscription_id,
        customer_id=event.customer_id,
        amount=event.amount,
        currency=event.currency,
        expires_at=event.expires_at,
    )
