"""Money in through gateways, not knowing what it is for."""
