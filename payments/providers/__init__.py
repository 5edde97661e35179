"""Gateways, one file each, found through the registry of ``payments.providers.base``."""
