"""What happens to packages."""

from __future__ import annotations

from uuid import UUID

from ispbilling.kernel.events import event


@event("packages.speed_changed")
class PackageSpeedChanged:
    """Whoever has this package is to have its new speed."""

    package_id: UUID
