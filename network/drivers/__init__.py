"""Routers by make, one adapter each, found through the registry of ``network.drivers.base``."""
