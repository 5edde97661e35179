"""What the address-list menu does beyond keeping rows: timeouts, and which lists an address is in."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from . import values
from .clock import Clock
from .tables import Row


class AddressLists:
    """Follows the rows of ``/ip/firewall/address-list``; ``clock`` decides when a timeout has run out."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._deadlines: dict[str, tuple[float, Row]] = {}
        self._by_address: dict[str, dict[str, Row]] = {}
        self._address_of: dict[str, str] = {}
        self._ranges: dict[str, Row] = {}

    def follow(self, row: Row, given: Mapping[str, str]) -> None:
        """Take note of a row that was added or changed by ``given``."""
        self._forget_address(row)
        address = row.values["address"]
        self._address_of[row.id] = address
        self._by_address.setdefault(address, {})[row.id] = row
        if not values.is_address(address) and not any(letter.isalpha() for letter in address):
            self._ranges[row.id] = row
        if "timeout" in given:
            self._set_deadline(row, self._clock.seconds() + values.duration_parse(given["timeout"]))
        elif "timeout" not in row.values and self._deadlines.pop(row.id, None) is not None:
            row.computed = None
            row.values["dynamic"] = "false"

    def forget(self, row: Row) -> None:
        self._forget_address(row)
        self._deadlines.pop(row.id, None)

    def timed(self) -> list[Row]:
        """The entries that have a timeout, and are lost when the router restarts."""
        return [row for _, row in self._deadlines.values()]

    def expired(self) -> list[Row]:
        now = self._clock.seconds()
        return [row for deadline, row in self._deadlines.values() if deadline <= now]

    def lists_of(self, address: str) -> list[str]:
        """The lists that hold this address through an enabled entry, sorted."""
        rows = list(self._by_address.get(address, {}).values())
        if self._ranges:
            number = int(ipaddress.IPv4Address(address))
            rows += [row for row in self._ranges.values() if _covers(row.values["address"], number)]
        return sorted({row.values["list"] for row in rows if row.values["disabled"] == "false"})

    def _set_deadline(self, row: Row, deadline: float) -> None:
        self._deadlines[row.id] = (deadline, row)
        row.values["dynamic"] = "true"
        row.computed = lambda: {"timeout": values.duration_text(max(0.0, deadline - self._clock.seconds()))}

    def _forget_address(self, row: Row) -> None:
        self._ranges.pop(row.id, None)
        address = self._address_of.pop(row.id, None)
        if address is not None:
            rows = self._by_address[address]
            del rows[row.id]
            if not rows:
                del self._by_address[address]


def _covers(ranges: str, number: int) -> bool:
    return any(low <= number <= high for low, high in values.ranges_parse(ranges))
