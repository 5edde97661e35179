"""Reactions to payments and packages."""

from billing import services
from ispbilling.kernel.events import handler
from packages.events import PackageSpeedChanged
from payments.events import PaymentReceiptLearned, PaymentSucceeded


@handler(PaymentSucceeded)
def receipt_book(event: PaymentSucceeded) -> None:
    services.receipt_record(
        payment_id=event.payment_id,
        customer_id=event.customer_id,
        account_id=event.account_id,
        amount=event.amount,
        currency=event.currency,
        family=event.receipt_family,
        number=event.receipt,
        method=event.method,
        purpose=event.purpose,
        purpose_id=event.purpose_id,
        received_at=event.paid_at,
    )


@handler(PaymentReceiptLearned)
def receipt_number_learn(event: PaymentReceiptLearned) -> None:
    services.receipt_number_set(payment_id=event.payment_id, number=event.receipt)


@handler(PackageSpeedChanged)
def package_speed_pass_on(event: PackageSpeedChanged) -> None:
    services.package_speed_tell(package_id=event.package_id)
