"""What happens in the network."""

from __future__ import annotations

from uuid import UUID

from ispbilling.kernel.events import event


@event("network.access_changed")
class AccessChanged:
    """A router was read and found to give a line another level than before."""

    line_id: UUID
    customer_id: UUID
    level: str


@event("network.router_went_down")
class RouterWentDown:
    """A router that answered does not any more."""

    router_id: UUID
    name: str
    error: str


@event("network.router_came_up")
class RouterCameUp:
    """A router answers (again)."""

    router_id: UUID
    name: str
