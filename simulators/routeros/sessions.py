"""PPPoE sessions of one router: who may dial in, what a session leaves behind in the menus, how its counters grow.

Runs on the thread of the farm's loop, like the device.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import schema, values
from .device import Device
from .tables import Row

FIRST_ADDRESS = int(ipaddress.IPv4Address("10.64.0.2"))  # for profiles that name no pool


class DialRefused(Exception):
    """The router did not let the subscriber in; the text is the reason it logs."""


@dataclass
class Cpe:
    """A subscriber's box: dials by itself while it has no session. Bits per second as the subscriber sees them."""

    name: str
    password: str
    mac: str
    autodial: bool = True
    download_bps: int = 2_000_000
    upload_bps: int = 200_000
    refusals: int = 0
    last_refusal: str = ""


@dataclass(eq=False)
class Session:
    """One session, with the rows it put into the menus."""

    cpe: Cpe
    profile: str
    rate_limit: str
    address: str
    lists: tuple[str, ...]
    began: float
    rows: dict[str, Row] = field(default_factory=dict)
    download_bps: int = 0
    upload_bps: int = 0


class Sessions:
    """Everybody who is online on one router, and the boxes that want to be."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.cpes: dict[str, Cpe] = {}
        self._sessions: dict[str, Session] = {}  # by the id of the active row
        self._addresses: set[str] = set()
        self._count = 0
        device.removers[schema.ACTIVE.path] = lambda row: self.end(self._sessions[row.id])

    def dial(self, cpe: Cpe) -> Session:
        """Let a subscriber in by the secret of his name. Raises DialRefused."""
        tables = self.device.tables
        secret = tables[schema.SECRET.path].named(cpe.name)
        if secret is None:
            raise DialRefused("user not found")
        if secret.values["disabled"] == "true":
            raise DialRefused("user disabled")
        if secret.values["password"] != cpe.password:
            raise DialRefused("wrong password")
        if secret.values["service"] not in ("any", "pppoe"):
            raise DialRefused("service not allowed")
        if secret.values["caller-id"] not in ("", cpe.mac):
            raise DialRefused("caller-id not allowed")
        profile = tables[schema.PROFILE.path].named(secret.values["profile"])
        if profile is None:
            raise DialRefused("profile not found")
        if profile.values["only-one"] == "yes":
            for session in self.of(cpe.name):
                self.end(session)
        return self._begin(cpe, secret, profile)

    def of(self, name: str) -> list[Session]:
        return [session for session in self._sessions.values() if session.cpe.name == name]

    def end(self, session: Session) -> None:
        """Hang up: everything the session put into the menus goes."""
        for path, row in session.rows.items():
            self.device.tables[path.partition("#")[0]].remove(row)
            if path.startswith(schema.ADDRESS_LIST.path):
                self.device.address_lists.forget(row)
        self._sessions.pop(session.rows[schema.ACTIVE.path].id, None)
        self._addresses.discard(session.address)
        secret = self.device.tables[schema.SECRET.path].named(session.cpe.name)
        if secret is not None:
            secret.values["last-logged-out"] = self.device.moment_text()
            secret.values["last-caller-id"] = session.cpe.mac

    def end_all(self) -> None:
        for session in list(self._sessions.values()):
            self.end(session)

    def redial(self) -> None:
        """Every box without a session tries once."""
        online = {session.cpe.name for session in self._sessions.values()}
        for cpe in self.cpes.values():
            if cpe.autodial and cpe.name not in online:
                try:
                    self.dial(cpe)
                except DialRefused as refusal:
                    cpe.refusals += 1
                    cpe.last_refusal = str(refusal)

    def truth(self) -> list[dict[str, Any]]:
        """Who is really online, and how."""
        walls = self.device.walling_lists()
        return [
            {
                "name": session.cpe.name,
                "address": session.address,
                "mac": session.cpe.mac,
                "profile": session.profile,
                "rate_limit": session.rate_limit,
                "address_lists": self.device.address_lists.lists_of(session.address),
                "walled_lists": sorted(walls & set(self.device.address_lists.lists_of(session.address))),
                "uptime_s": int(self._age(session)),
                **{name.replace("-", "_"): int(count) for name, count in self._counters(session).items()},
            }
            for session in self._sessions.values()
        ]

    def _begin(self, cpe: Cpe, secret: Row, profile: Row) -> Session:
        limit = profile.values.get("rate-limit", "")
        address = self._address(secret.values.get("remote-address") or profile.values.get("remote-address") or "")
        lists = tuple(name for name in [profile.values.get("address-list", "")] if name)
        session = Session(cpe, profile.values["name"], limit, address, lists, self.device.clock.seconds())
        rates = values.rate_limit_parse(limit)
        session.upload_bps = min(cpe.upload_bps, rates.rx_bps or cpe.upload_bps)
        session.download_bps = min(cpe.download_bps, rates.tx_bps or cpe.download_bps)
        self._count += 1
        self._addresses.add(address)
        self._put(session, limit, rates.max_limit, profile)
        self._sessions[session.rows[schema.ACTIVE.path].id] = session
        secret.values["last-caller-id"] = cpe.mac
        return session

    def _put(self, session: Session, limit: str, max_limit: str, profile: Row) -> None:
        """The rows a session has: active, interface, queue, address lists."""
        tables, cpe = self.device.tables, session.cpe
        stem = f"<pppoe-{cpe.name}>"
        interfaces = tables[schema.INTERFACE.path]
        name, number = stem, 0
        while interfaces.named(name) is not None:
            number += 1
            name = f"<pppoe-{cpe.name}-{number}>"
        session.rows[schema.ACTIVE.path] = tables[schema.ACTIVE.path].add(
            {
                "name": cpe.name,
                "service": "pppoe",
                "caller-id": cpe.mac,
                "address": session.address,
                "session-id": f"0x{0x81000000 + self._count:08X}",
            },
            computed=lambda: {"uptime": values.duration_text(self._age(session))},
        )
        interface = interfaces.add({"name": name}, computed=lambda: self._counters(session), is_locked=True)
        interface.values |= {"type": "pppoe-in", "dynamic": "true", "running": "true"}
        session.rows[schema.INTERFACE.path] = interface
        if limit:
            given = {"name": name, "target": name, "max-limit": max_limit}
            queue = tables[schema.QUEUE.path].add(given, is_locked=True)
            queue.values["dynamic"] = "true"
            session.rows[schema.QUEUE.path] = queue
        for index, listed in enumerate(session.lists):
            held = tables[schema.ADDRESS_LIST.path].with_values(listed, session.address)
            if held is None:
                row = self.device.add_row(
                    schema.ADDRESS_LIST.path, {"list": listed, "address": session.address}, is_locked=True
                )
                session.rows[f"{schema.ADDRESS_LIST.path}#{index}"] = row

    def _address(self, wanted: str) -> str:
        if values.is_address(wanted):
            return wanted
        pool = self.device.tables[schema.POOL.path].named(wanted)
        if pool is not None:
            for low, high in values.ranges_parse(pool.values["ranges"]):
                for number in range(low, high + 1):
                    address = str(ipaddress.IPv4Address(number))
                    if address not in self._addresses:
                        return address
            raise DialRefused("no free address in pool")
        number = FIRST_ADDRESS
        while str(ipaddress.IPv4Address(number)) in self._addresses:
            number += 1
        return str(ipaddress.IPv4Address(number))

    def _age(self, session: Session) -> float:
        return self.device.clock.seconds() - session.began

    def _counters(self, session: Session) -> Mapping[str, str]:
        """As the router sees it: it receives (rx) what the subscriber uploads."""
        age = self._age(session)
        received, sent = int(age * session.upload_bps / 8), int(age * session.download_bps / 8)
        return {
            "rx-byte": str(received),
            "tx-byte": str(sent),
            "rx-packet": str(received // 600),
            "tx-packet": str(sent // 1200),
        }
