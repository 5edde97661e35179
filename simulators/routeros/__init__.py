"""MikroTik RouterOS: many routers in one process, speaking the API on real sockets.

Written from the protocol's description; shares no code with the product's driver.
"""

from simulators.routeros.control import control_handlers
from simulators.routeros.server import RouterFarm, SimRouter
from simulators.routeros.sessions import DialRefused
from simulators.routeros.traps import Trap

__all__ = ["DialRefused", "RouterFarm", "SimRouter", "Trap", "control_handlers"]
