"""Cash over the counter: counted by a person, booked at once."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db import transaction

from accounts.selectors import tenant_current
from billing.models import Receipt
from billing.services.receipts import receipt_record
from customers.services import customer_locked
from ispbilling.kernel import idempotency
from ispbilling.kernel.errors import DomainError, NotFound
from ispbilling.kernel.ids import short_code
from ispbilling.kernel.money import Money, quantize
from payments.models import Payment
from payments.selectors import cash_account
from payments.services import money_receive


@transaction.atomic
def cash_receive(*, customer_id: UUID, amount: Decimal, description: str, key: str, actor: str) -> Receipt:
    """Book cash of a customer, once per ``key``: a repeat gives the receipt that is there.

    It goes the way of all money: into the wallet, and from there into what has run out. Raises NotFound, DomainError
    ``cash.amount``, ``cash.account``, Conflict ``idempotency.mismatch``.
    """
    currency = tenant_current().currency
    if amount <= 0 or quantize(amount, currency) != amount:
        raise DomainError("cash.amount", f"That is not an amount of {currency}.", fields={"amount": ["Not possible."]})
    customer = customer_locked(customer_id)
    if customer.deleted_at is not None:
        raise NotFound("customer.unknown", "There is no such customer.")

    def act() -> dict[str, str]:
        account = cash_account()
        if account is None:
            raise DomainError("cash.account", "This tenant takes no cash: add a way of paying “cash” first.")
        payment: Payment = money_receive(
            account_id=account.id,
            amount=Money(amount, currency),
            receipt=f"C-{short_code(10)}",
            payer_text=customer.code,
            note=description,
            actor=actor,
        )
        # Booked here and now, so that the answer tells the new balance; the event that comes finds it done.
        receipt_record(
            payment_id=payment.id,
            customer_id=customer.id,
            account_id=account.id,
            amount=amount,
            currency=currency,
            family=payment.receipt_family,
            number=payment.receipt,
            method=account.provider,
            purpose="",
            purpose_id=None,
            received_at=payment.paid_at or payment.created_at,
        )
        return {"payment": str(payment.id)}

    intention = {"customer": str(customer_id), "amount": str(amount.normalize()), "description": description}
    done = idempotency.once(scope="cash", key=key, intention=intention, act=act)
    found: Receipt = Receipt.objects.select_related("payment").get(payment_id=done["payment"])
    return found
