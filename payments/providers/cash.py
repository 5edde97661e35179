"""Cash over the counter: no gateway, a person counts it and says so."""

from __future__ import annotations

from decimal import Decimal

from ispbilling.kernel.adapters import Facts, Proven
from payments.providers.base import Attempt, Instructions, PaymentProvider, Started, provider


@provider("cash")
class Cash(PaymentProvider):
    """Takes any currency. Nothing is sent anywhere."""

    title = "Cash"
    currencies = frozenset()
    smallest_unit = Decimal("0.01")
    receipt_family = "cash"
    facts = Facts(
        docs="no outside system",
        proven=Proven.REAL,
        missing={
            "can_push": "nobody's phone is asked: a person counts the money",
            "can_query": "there is nobody to ask",
            "has_callbacks": "nobody calls back",
            "can_list": "the counter is its own statement",
            "can_refund": "money is handed back over the counter, by a person",
        },
    )

    def start(self, attempt: Attempt) -> Started:
        return Instructions(f"Pay {attempt.amount} at the counter and name {attempt.reference}.")
