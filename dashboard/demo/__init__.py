"""A provider that has lived for three months, made by the product's own services.

``people`` and ``houses`` are who there is. ``plan`` draws from a seed what everyone does. ``play`` lets it happen, day
by day, in a process that lives in the past (``kernel.clock.live_at``); ``stand_ins`` are gateway, message provider and
routers as they answered then. ``far_ends`` gives the simulators what the routers hold at the end. Only where the clock
may move: never in production.
"""
