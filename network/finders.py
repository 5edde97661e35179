"""Customers by the address of their open session, and by the MAC address of any."""

from __future__ import annotations

import re
from uuid import UUID

from network.models import Session

MOST = 200
_MAC = re.compile(r"[0-9a-f]{2}([:-][0-9a-f]{2}){1,5}[:-]?", re.ASCII)
_ADDRESS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){1,3}\.?", re.ASCII)


def customers_of_session(typed: str) -> set[UUID]:
    """Whose session has this address or this MAC address, or one that begins so: by range, in an index each."""
    text = typed.lower()
    if _MAC.fullmatch(text):
        begin = text.replace("-", ":").upper()
        rows = Session.objects.filter(mac__gte=begin, mac__lt=begin + "~")
    elif _ADDRESS.fullmatch(text):
        is_whole = text.count(".") == 3 and not text.endswith(".")
        rows = Session.objects.filter(stopped_at=None)
        rows = rows.filter(address=text) if is_whole else rows.filter(address__gte=text, address__lt=text + "~")
    else:
        return set()
    return set(rows.values_list("line__customer_id", flat=True)[:MOST])
