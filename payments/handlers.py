"""Reactions to our own stored callbacks."""

from ispbilling.kernel.events import handler
from payments import services
from payments.events import PaymentEventStored


@handler(PaymentEventStored)
def callback_read(event: PaymentEventStored) -> None:
    services.payment_event_process(payment_event_id=event.payment_event_id)
