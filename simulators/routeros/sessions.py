"""PPPoE sessions of one router: who may dial in, what a session leaves behind in the menus, how its counters grow.

Runs on the thread of the farm's loop, like the device.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import schema, values
from .device import Device
from .tables import Row

NO_POOL = "10.64.0.2-10.127.255.254"  # for profiles that name no pool
BEYOND = 1 << 32  # above every address


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


class Addresses:
    """Which addresses are taken; a free one is found without going through all of a pool each time."""

    def __init__(self) -> None:
        self._taken: set[int] = set()
        self._hints: dict[str, int] = {}  # by ranges: no free address below this one

    def take(self, address: str) -> None:
        self._taken.add(int(ipaddress.IPv4Address(address)))

    def release(self, address: str) -> None:
        number = int(ipaddress.IPv4Address(address))
        self._taken.discard(number)
        for ranges, hint in self._hints.items():
            self._hints[ranges] = min(hint, number)

    def free(self, ranges: str) -> str | None:
        """The lowest address of the ranges that is not taken."""
        hint = self._hints.get(ranges, 0)
        for low, high in sorted(values.ranges_parse(ranges)):
            for number in range(max(low, hint), high + 1):
                if number not in self._taken:
                    self._hints[ranges] = number
                    return str(ipaddress.IPv4Address(number))
        self._hints[ranges] = BEYOND
        return None


class Sessions:
    """Everybody who is online on one router, and the boxes that want to be."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.cpes: dict[str, Cpe] = {}
        self._sessions: dict[str, Session] = {}  # by the id of the active row
        self._by_name: dict[str, dict[str, Session]] = {}
        self._addresses = Addresses()
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
        return list(self._by_name.get(name, {}).values())

    def __len__(self) -> int:
        return len(self._sessions)

    def end(self, session: Session, *, is_noted: bool = True) -> None:
        """Hang up: everything the session put into the menus goes. Without power nothing is noted in the secret."""
        for path, row in session.rows.items():
            self.device.tables[path.partition("#")[0]].remove(row)
            if path.startswith(schema.ADDRESS_LIST.path):
                self.device.address_lists.forget(row)
        row_id = session.rows[schema.ACTIVE.path].id
        if self._sessions.pop(row_id, None) is not None:
            same = self._by_name[session.cpe.name]
            del same[row_id]
            if not same:
                del self._by_name[session.cpe.name]
        self.device.interface_rates.pop(session.rows[schema.INTERFACE.path].id, None)
        self._addresses.release(session.address)
        secret = self.device.tables[schema.SECRET.path].named(session.cpe.name)
        if secret is not None and is_noted:
            secret.values["last-logged-out"] = self.device.moment_text()
            secret.values["last-caller-id"] = session.cpe.mac

    def power_fails(self) -> None:
        for session in list(self._sessions.values()):
            self.end(session, is_noted=False)

    def redial(self, names: Iterable[str] | None = None) -> None:
        """Every box without a session tries once, of all or of those named."""
        boxes = self.cpes.values() if names is None else [self.cpes[name] for name in names]
        for cpe in boxes:
            if cpe.autodial and cpe.name not in self._by_name:
                try:
                    self.dial(cpe)
                except DialRefused as refusal:
                    cpe.refusals += 1
                    cpe.last_refusal = str(refusal)

    def truth(self) -> list[dict[str, Any]]:
        """Who is really online, and how."""
        walls = self.device.walling_lists()
        return [self._truth(session, walls) for session in self._sessions.values()]

    def online(self) -> list[str]:
        """The names of those who are online, sorted; who has two sessions is named once."""
        return sorted(self._by_name)

    def _truth(self, session: Session, walls: set[str]) -> dict[str, Any]:
        listed = self.device.address_lists.lists_of(session.address)
        return {
            "name": session.cpe.name,
            "address": session.address,
            "mac": session.cpe.mac,
            "profile": session.profile,
            "rate_limit": session.rate_limit,
            "address_lists": listed,
            "walled_lists": [name for name in listed if name in walls],
            "uptime_s": int(self._age(session)),
            **{name.replace("-", "_"): count for name, count in self._counts(session).items()},
        }

    def _begin(self, cpe: Cpe, secret: Row, profile: Row) -> Session:
        limit = profile.values.get("rate-limit", "")
        address = self._address(secret.values.get("remote-address") or profile.values.get("remote-address") or "")
        lists = tuple(name for name in [profile.values.get("address-list", "")] if name)
        session = Session(cpe, profile.values["name"], limit, address, lists, self.device.clock.seconds())
        rates = values.rate_limit_parse(limit)
        session.upload_bps = min(cpe.upload_bps, rates.rx_bps or cpe.upload_bps)
        session.download_bps = min(cpe.download_bps, rates.tx_bps or cpe.download_bps)
        self._count += 1
        self._addresses.take(address)
        self._put(session, limit, rates.max_limit)
        row_id = session.rows[schema.ACTIVE.path].id
        self._sessions[row_id] = session
        self._by_name.setdefault(cpe.name, {})[row_id] = session
        secret.values["last-caller-id"] = cpe.mac
        return session

    def _put(self, session: Session, limit: str, max_limit: str) -> None:
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
        self.device.interface_rates[interface.id] = lambda: (session.upload_bps, session.download_bps)
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
        address = self._addresses.free(pool.values["ranges"] if pool is not None else NO_POOL)
        if address is None:
            raise DialRefused("no free address in pool")
        return address

    def _age(self, session: Session) -> float:
        return self.device.clock.seconds() - session.began

    def _counters(self, session: Session) -> Mapping[str, str]:
        return {name: str(count) for name, count in self._counts(session).items()}

    def _counts(self, session: Session) -> dict[str, int]:
        """As the router sees it: it receives (rx) what the subscriber uploads."""
        age = self._age(session)
        received, sent = int(age * session.upload_bps / 8), int(age * session.download_bps / 8)
        return {"rx-byte": received, "tx-byte": sent, "rx-packet": received // 600, "tx-packet": sent // 1200}
