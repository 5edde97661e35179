"""Money in tests, as it comes over the counter."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID, uuid4

from billing.models import Receipt
from billing.services import cash_receive
from tests.factories import ACTOR


def cash_pay(customer_id: UUID, amount: Decimal) -> Receipt:
    """Cash of a customer: into his wallet, and from there into what has run out."""
    return cash_receive(customer_id=customer_id, amount=amount, description="", key=uuid4().hex, actor=ACTOR)
