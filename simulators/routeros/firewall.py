"""What becomes of a subscriber's new packet: destination NAT first, then the chain it falls into.

Only what a rule about new connections of subscribers says is understood; a rule with any other matcher passes by.
"""

from __future__ import annotations

import ipaddress
from dataclasses import asdict, dataclass, replace
from typing import Any

from . import schema
from .device import Device
from .tables import Row
from .values import is_address, ranges_parse

_UNDERSTOOD = frozenset(
    {"chain", "action", "protocol", "src-address", "dst-address", "src-address-list", "dst-address-list", "dst-port"}
)
_NO_MATCHERS = frozenset(
    {"comment", "disabled", "log", "log-prefix", "reject-with", "to-addresses", "to-ports", *schema.FILTER.fixed}
)
_GOES_ON = frozenset({"passthrough", "log", "add-src-to-address-list", "add-dst-to-address-list"})


@dataclass(frozen=True)
class Packet:
    """``to`` is an address or a name; a name is on a list that holds it, or an address it is known by."""

    source: str
    to: str
    protocol: str = "tcp"
    port: int = 80


@dataclass(frozen=True)
class Fate:
    """``outcome`` is the action of the rule that decided, accept where none did; ``rule`` its comment, then its id."""

    outcome: str
    rule: str
    to: str
    port: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def fate_of(device: Device, packet: Packet, *, to_router: bool = False) -> Fate:
    """``to_router``: the packet is for the router itself."""
    redirect = _first(device, schema.NAT.path, "dstnat", packet)
    by = ""
    if redirect is not None and redirect.values["action"] == "dst-nat":
        by = _name(redirect)
        to, port = redirect.values.get("to-addresses", packet.to), redirect.values.get("to-ports", "")
        packet = replace(packet, to=to, port=int(port) if port else packet.port)
    rule = _first(device, schema.FILTER.path, "input" if to_router else "forward", packet)
    outcome = rule.values["action"] if rule is not None else "accept"
    if rule is not None and not (by and outcome == "accept"):
        by = _name(rule)
    return Fate(outcome, by, packet.to, packet.port)


def _first(device: Device, path: str, chain: str, packet: Packet) -> Row | None:
    """The rule that decides."""
    for row in device.tables[path]:
        values = row.values
        if values["chain"] != chain or values["disabled"] == "true" or values["action"] in _GOES_ON:
            continue
        if _matches(device, values, packet):
            return row
    return None


def _matches(device: Device, values: dict[str, str], packet: Packet) -> bool:
    if any(value and name not in _UNDERSTOOD | _NO_MATCHERS for name, value in values.items()):
        return False
    return (
        values.get("protocol", "") in ("", packet.protocol)
        and _has_port(values.get("dst-port", ""), packet.port)
        and _is_in(values.get("src-address", ""), packet.source)
        and _is_in(values.get("dst-address", ""), packet.to)
        and _is_listed(device, values.get("src-address-list", ""), packet.source)
        and _is_listed(device, values.get("dst-address-list", ""), packet.to)
    )


def _has_port(wanted: str, port: int) -> bool:
    parts = [part.partition("-") for part in wanted.split(",") if part]
    return not parts or any(int(low) <= port <= int(high or low) for low, _, high in parts)


def _is_in(wanted: str, address: str) -> bool:
    if not wanted:
        return True
    if not is_address(address):
        return wanted.startswith("!")
    number = int(ipaddress.IPv4Address(address))
    inside = any(low <= number <= high for low, high in ranges_parse(wanted.removeprefix("!")))
    return inside is not wanted.startswith("!")


def _is_listed(device: Device, wanted: str, address: str) -> bool:
    if not wanted:
        return True
    if is_address(address):
        lists = set(device.address_lists.lists_of(address))
    else:
        rows = [row.values for row in device.tables[schema.ADDRESS_LIST.path]]
        lists = {row["list"] for row in rows if row["address"] == address and row["disabled"] == "false"}
    return (wanted.removeprefix("!") in lists) is not wanted.startswith("!")


def _name(row: Row) -> str:
    return row.values.get("comment") or row.id
