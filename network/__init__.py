"""Makes the routers match what billing says."""
