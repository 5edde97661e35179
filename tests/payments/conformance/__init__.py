"""What every payment provider must do, asked of it through a simulator. A subclass names adapter and simulator."""

from tests.outside import Receiver, until
from tests.payments.conformance.asked import Asked
from tests.payments.conformance.base import MemoryTokens
from tests.payments.conformance.begun import Begun
from tests.payments.conformance.kept import Kept
from tests.payments.conformance.listed import Listed
from tests.payments.conformance.outside import Outside
from tests.payments.conformance.told import Told

__all__ = ["MemoryTokens", "PaymentProviderConformance", "Receiver", "until"]


class PaymentProviderConformance(Begun, Told, Asked, Listed, Outside, Kept):
    """Subclass per gateway: ``provider``, ``simulator``, ``config`` and how a phone behaves there."""
