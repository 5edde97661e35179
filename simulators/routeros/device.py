"""One simulated router without its network side: settings, clock, tables, journal.

Everything here runs on the thread of the farm's event loop and never waits.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal
from zoneinfo import ZoneInfo

from . import schema, values
from .address_lists import AddressLists
from .clock import Clock
from .flash import Flash
from .journals import Journal
from .tables import Row, Table

BUILT_IN_PROFILES = {"default": "*0", "default-encryption": "*FFFFFFFE"}
TOTAL_MEMORY_BYTES, FREE_MEMORY_BYTES = 1_073_741_824, 805_306_368
TOTAL_DISK_BYTES, FREE_DISK_BYTES = 134_217_728, 100_663_296

_NUMBERS = frozenset({"latency_ms", "jitter_ms", "service_ms_per_item", "redial_s"})


@dataclass
class Settings:
    """How this router behaves. ``latency_ms`` delays every command, ``jitter_ms`` by up to so much more, drawn with
    ``seed`` (None: made of the router's name); ``service_ms_per_item`` is what the router needs for each row it reads
    or writes, one after the other over all connections; ``list_atomic`` makes a command with a list of ids check all
    of them before touching any; ``redial_s`` is the pause between two dials of a CPE.
    """

    users: dict[str, str] = field(default_factory=lambda: {"admin": ""})
    version: str = "7.16.1 (stable)"
    login: Literal["new", "old"] = "new"
    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    seed: int | None = None
    service_ms_per_item: float = 0.0
    list_atomic: bool = False
    redial_s: float = 0.2

    def change(self, changes: Mapping[str, Any]) -> None:
        """Apply all of ``changes`` or none. Raises ValueError for a setting or value that does not exist."""
        known = {item.name for item in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"no setting {name!r}; there are {', '.join(sorted(known))}")
            if name == "login" and value not in ("new", "old"):
                raise ValueError("login is new or old")
            if name == "version":
                values.version_parse(value)
            if name == "users" and not isinstance(value, dict):
                raise ValueError("users is an object of name and password")
            if name in _NUMBERS and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
                raise ValueError(f"{name} is a number, 0 or more")
            if name == "seed" and (isinstance(value, bool) or not isinstance(value, int | None)):
                raise ValueError("seed is a whole number")
        for name, value in changes.items():
            setattr(self, name, float(value) if name in _NUMBERS else value)

    @property
    def version_number(self) -> tuple[int, ...]:
        return values.version_parse(self.version)


class Device:
    """The tables of one router and what keeps them consistent.

    ``removers`` lets the owner of a menu's rows take over their removal (ending a session);
    ``interface_rates`` gives what flows through an interface row now: (rx, tx) in bits per second.
    """

    def __init__(self, name: str, settings: Settings, ethernets: int = 5) -> None:
        self.name = name
        self.settings = settings
        self.clock = Clock()
        self.address_lists = AddressLists(self.clock)
        self.journal = Journal()
        self.flash = Flash()
        self.is_powered = True
        self.removers: dict[str, Callable[[Row], None]] = {}
        self.interface_rates: dict[str, Callable[[], tuple[int, int]]] = {}
        self.tables: dict[str, Table] = {}
        for path, menu in schema.MENUS.items():
            self.tables[path] = Table(menu, self.tables)
        self._booted = self.clock.seconds()
        self._order_kept: tuple[int, str] | None = None
        self._furnish(ethernets)

    def uptime_s(self) -> float:
        return self.clock.seconds() - self._booted

    def boot(self, lose_writes: int = 0) -> None:
        """What a power cycle does to the device itself: the uptime starts over, timed entries are lost, ids of lost
        rows are given again; the last ``lose_writes`` commands that changed something may be undone."""
        self._booted = self.clock.seconds()
        for row in self.address_lists.timed():
            self.remove_row(schema.ADDRESS_LIST.path, row)
        self.flash.boot(lose_writes)
        for table in self.tables.values():
            if not table.menu.is_single:
                table.reuse_ids()

    def expire(self) -> None:
        """Drop the address-list entries whose timeout has run out."""
        for row in self.address_lists.expired():
            self.remove_row(schema.ADDRESS_LIST.path, row)

    def moment_text(self) -> str:
        return values.moment_text(self.clock.now(), self.settings.version_number)

    def add_row(
        self, path: str, given: Mapping[str, str], *, before: Row | None = None, is_locked: bool = False
    ) -> Row:
        """Add a row of read values and what the menu adds by itself. Raises Trap."""
        table = self.tables[path]
        if path == schema.QUEUE.path and "name" not in given:
            given = {**given, "name": table.name_free("queue")}
        row = table.add(given, before=before, is_locked=is_locked)
        if path == schema.SECRET.path:
            row.values["last-logged-out"] = values.moment_text(
                datetime(1970, 1, 1, tzinfo=UTC), self.settings.version_number
            )
        elif path == schema.ADDRESS_LIST.path:
            row.values["creation-time"] = self.moment_text()
            row.values["dynamic"] = values.bool_text(is_locked)
            self.address_lists.follow(row, given)
        self.flash.changed(lambda: self._forget(path, row))
        return row

    def change_row(self, path: str, row: Row, given: Mapping[str, str]) -> None:
        """Set read values on a row and let what refers to it follow. Raises Trap."""
        before = row.values.get("name")
        columns = {name: row.values.get(name) for name in given}
        self.tables[path].change(row, given)
        self.flash.changed(lambda: self._restore(path, row, columns))
        if path == schema.ADDRESS_LIST.path:
            self.address_lists.follow(row, given)
        if before is not None and row.values["name"] != before:
            self._rename_references(path, before, row.values["name"])

    def clear_column(self, path: str, row: Row, name: str) -> None:
        """Unset one column. Raises Trap for a column that cannot be unset."""
        columns = {name: row.values.get(name)}
        self.tables[path].clear(row, name)
        self.flash.changed(lambda: self._restore(path, row, columns))
        if path == schema.ADDRESS_LIST.path:
            self.address_lists.follow(row, {})

    def remove_row(self, path: str, row: Row) -> None:
        """Remove a row; rows that referred to it show its id from then on, as the real router's do."""
        if path in self.removers:
            self.removers[path](row)
            return
        self._keep_order(path)
        self.tables[path].remove(row)
        self.flash.changed(lambda: self._put_back(path, row))
        if path == schema.ADDRESS_LIST.path:
            self.address_lists.forget(row)
        elif "name" in row.values:
            self._rename_references(path, row.values["name"], row.id)

    def move_rows(self, path: str, rows: Sequence[Row], before: Row | None) -> None:
        """Put the rows in front of ``before``, or at the end."""
        self._keep_order(path)
        self.tables[path].move(rows, before)

    def walling_lists(self) -> set[str]:
        """The lists whose members the forward chain drops or rejects."""
        return {
            row.values["src-address-list"]
            for row in self.tables[schema.FILTER.path]
            if row.values["disabled"] == "false"
            and row.values["chain"] == "forward"
            and row.values["action"] in ("drop", "reject")
            and not row.values.get("src-address-list", "!").startswith("!")
        }

    def _rename_references(self, path: str, before: str, after: str) -> None:
        for table in self.tables.values():
            columns = [name for name, prop in table.menu.properties.items() if prop.reference == path]
            if not columns:
                continue
            for row in table:
                for column in columns:
                    if row.values.get(column) == before:
                        row.values[column] = after
                        self.flash.changed(partial(self._restore, table.menu.path, row, {column: before}))

    # How a write that was not flushed is taken back. What is not there any more stays away.

    def _forget(self, path: str, row: Row) -> None:
        if self.tables[path].has(row):
            self.tables[path].remove(row)
            if path == schema.ADDRESS_LIST.path:
                self.address_lists.forget(row)

    def _restore(self, path: str, row: Row, columns: Mapping[str, str | None]) -> None:
        if self.tables[path].has(row):
            self.tables[path].restore(row, columns)
            if path == schema.ADDRESS_LIST.path:
                self.address_lists.follow(row, {})

    def _put_back(self, path: str, row: Row) -> None:
        if path == schema.ADDRESS_LIST.path and row.values["dynamic"] == "true":
            return  # it would not have outlived the restart
        if self.tables[path].put_back(row) and path == schema.ADDRESS_LIST.path:
            self.address_lists.follow(row, {})

    def _keep_order(self, path: str) -> None:
        """Once a command, before it first removes or moves: what is put back comes to its old place."""
        entry = self.flash.writing
        if entry is not None and self._order_kept != (entry.number, path):
            self._order_kept = (entry.number, path)
            order = self.tables[path].order()
            self.flash.changed(lambda: self.tables[path].put_in_order(order))

    def _furnish(self, ethernets: int) -> None:
        seed = zlib.crc32(self.name.encode())
        for name, row_id in BUILT_IN_PROFILES.items():
            encryption = "yes" if name == "default-encryption" else "default"
            row = self.tables[schema.PROFILE.path].add({"name": name, "use-encryption": encryption}, row_id=row_id)
            row.values["default"] = "true"
            row.values["change-tcp-mss"] = "yes"
        for index in range(ethernets):
            mac = "48:8F:5A:" + ":".join(f"{part:02X}" for part in ((seed >> 8) & 0xFF, seed & 0xFF, index))
            row = self.tables[schema.INTERFACE.path].add({"name": f"ether{index + 1}"})
            row.values |= {
                "default-name": f"ether{index + 1}", "type": "ether", "actual-mtu": "1500", "mac-address": mac,
                "link-downs": "0", "rx-byte": "0", "tx-byte": "0", "rx-packet": "0", "tx-packet": "0",
                "rx-drop": "0", "tx-drop": "0", "rx-error": "0", "tx-error": "0", "running": "true",
            }  # fmt: skip
        self.tables[schema.PPPOE_SERVER.path].add(
            {"service-name": "pppoe", "interface": f"ether{min(2, ethernets)}", "disabled": "false"}
        )
        self.tables[schema.IDENTITY.path].add({"name": self.name})
        self.tables[schema.CLOCK.path].add({"time-zone-name": "UTC"}, computed=self._clock_columns)
        self.tables[schema.RESOURCE.path].add({}, computed=self._resource_columns)
        self.tables[schema.ROUTERBOARD.path].add(
            {
                "routerboard": "true", "model": "RB5009UG+S+", "serial-number": f"{seed:08X}5009",
                "firmware-type": "70x0",
            },
            computed=lambda: {
                "current-firmware": self.settings.version.split()[0],
                "upgrade-firmware": self.settings.version.split()[0],
            },
        )  # fmt: skip

    def _resource_columns(self) -> dict[str, str]:
        return {
            "uptime": values.duration_text(self.uptime_s()), "version": self.settings.version,
            "build-time": "2024-11-21 13:11:41", "free-memory": str(FREE_MEMORY_BYTES),
            "total-memory": str(TOTAL_MEMORY_BYTES), "cpu": "ARM64", "cpu-count": "4", "cpu-frequency": "1400",
            "cpu-load": "7", "free-hdd-space": str(FREE_DISK_BYTES), "total-hdd-space": str(TOTAL_DISK_BYTES),
            "architecture-name": "arm64", "board-name": "RB5009UG+S+", "platform": "MikroTik",
        }  # fmt: skip

    def _clock_columns(self) -> dict[str, str]:
        zone = self.tables[schema.CLOCK.path].single().values["time-zone-name"]
        local = self.clock.now().astimezone(ZoneInfo(zone))
        offset = local.strftime("%z")
        return {
            "date": values.date_text(local, self.settings.version_number),
            "time": f"{local:%H:%M:%S}",
            "gmt-offset": f"{offset[:3]}:{offset[3:]}",
        }
