"""Every write of the network."""

from network.services.access import line_open, lines_refresh
from network.services.convergence import router_converge
from network.services.devices import router_add, router_check, router_wake

__all__ = ["line_open", "lines_refresh", "router_add", "router_check", "router_converge", "router_wake"]
