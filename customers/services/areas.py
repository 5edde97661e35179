"""Areas: made when they are first named."""

from __future__ import annotations

from django.db import transaction

from customers.models import Area
from ispbilling.kernel import audit


@transaction.atomic
def area_name(*, name: str, district: str = "", upazila: str = "", actor: str) -> Area | None:
    """The area of that name, made when there is none yet; None for no name."""
    if not name.strip():
        return None
    area: Area
    area, is_new = Area.objects.get_or_create(name=name.strip(), district=district.strip(), upazila=upazila.strip())
    if is_new:
        audit.record(actor=actor, verb="area.create", row=area, new={"name": area.name, "district": area.district})
    return area
