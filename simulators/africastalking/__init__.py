"""Africa's Talking: bulk messages, balance, delivery reports, as the reference describes them."""

from simulators.africastalking.control import control_handlers
from simulators.africastalking.faults import FAULTS
from simulators.africastalking.server import AfricasTalking

__all__ = ["FAULTS", "AfricasTalking", "control_handlers"]
