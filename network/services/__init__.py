"""Every write of the network."""

from network.services.access import line_add, line_ask, line_open, line_password_set, line_redial, lines_refresh
from network.services.convergence import router_converge
from network.services.devices import router_check, router_try, router_wake
from network.services.drift import router_drift_correct, router_drift_policy_set
from network.services.routers import (
    Probe,
    is_elsewhere,
    router_add,
    router_edit,
    router_probe,
    router_remove,
    router_switch,
)
from network.services.wall import wall_hosts_set

__all__ = [
    "Probe",
    "is_elsewhere",
    "line_add",
    "line_ask",
    "line_open",
    "line_password_set",
    "line_redial",
    "lines_refresh",
    "router_add",
    "router_check",
    "router_converge",
    "router_drift_correct",
    "router_drift_policy_set",
    "router_edit",
    "router_probe",
    "router_remove",
    "router_switch",
    "router_try",
    "router_wake",
    "wall_hosts_set",
]
