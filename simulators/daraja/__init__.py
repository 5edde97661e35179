"""Safaricom's Daraja: OAuth, STK push, its callback and its query, as the reference describes them."""

from simulators.daraja.control import control_handlers
from simulators.daraja.faults import FAULTS
from simulators.daraja.server import Daraja
from simulators.daraja.till import Push, Shop

__all__ = ["FAULTS", "Daraja", "Push", "Shop", "control_handlers"]
