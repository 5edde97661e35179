"""MikroTik RouterOS, by its API."""

from network.drivers.mikrotik.driver import MikroTik

__all__ = ["MikroTik"]
