"""The boxes at the subscribers' homes: each dials by itself until it is let in, and again when it is cut."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .device import Device
from .sessions import DEFAULT_DOWN_BPS, DEFAULT_UP_BPS, Refused, Session, Sessions

DIALS_PER_SLICE = 200  # then other routers of the farm get their turn


@dataclass(slots=True)
class Cpe:
    """``up_bps`` and ``down_bps`` are what the household draws, in bits per second; ``refusal`` is why the
    last dial failed, None once it worked; ``dials`` counts them all."""

    name: str
    password: str
    mac: str
    autodial: bool = True
    up_bps: int = DEFAULT_UP_BPS
    down_bps: int = DEFAULT_DOWN_BPS
    dials: int = 0
    refusal: str | None = None
    session: Session | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name, "mac": self.mac, "autodial": self.autodial, "up_bps": self.up_bps,
            "down_bps": self.down_bps, "dials": self.dials, "refusal": self.refusal,
            "connected": self.session is not None,
            "address": self.session.address if self.session is not None else None,
        }  # fmt: skip


class Cpes:
    """All CPEs behind one router."""

    def __init__(self, device: Device, sessions: Sessions) -> None:
        self._device = device
        self._sessions = sessions
        self._all: dict[str, dict[str, Cpe]] = {}
        self._waiting: dict[tuple[str, str], Cpe] = {}
        self._somebody_waits = asyncio.Event()

    def add(self, cpe: Cpe) -> None:
        """Connect a CPE; one that dials by itself does so at once. Raises ValueError for a second one with
        the same name and MAC."""
        same_name = self._all.setdefault(cpe.name, {})
        if cpe.mac in same_name:
            raise ValueError(f"there is a CPE {cpe.name} {cpe.mac} already")
        same_name[cpe.mac] = cpe
        if cpe.autodial:
            self.dial(cpe)

    def find(self, name: str, mac: str | None = None) -> list[Cpe]:
        """The CPEs with this name, and this MAC if one is given. Raises KeyError when there is none."""
        found = [cpe for cpe in self._all.get(name, {}).values() if mac in (None, cpe.mac)]
        if not found:
            raise KeyError(f"no CPE {name}" + (f" {mac}" if mac else ""))
        return found

    def all(self) -> list[Cpe]:
        return [cpe for same_name in self._all.values() for cpe in same_name.values()]

    def remove(self, name: str, mac: str | None = None) -> int:
        """Unplug CPEs for good; returns how many. Raises KeyError when there is none."""
        found = self.find(name, mac)
        for cpe in found:
            cpe.autodial = False
            self._waiting.pop((cpe.name, cpe.mac), None)
            if cpe.session is not None:
                self._sessions.end(cpe.session, "peer-request")
            del self._all[name][cpe.mac]
        return len(found)

    def change(self, cpe: Cpe, changes: Mapping[str, Any]) -> None:
        """Set password, autodial, up_bps, down_bps. Raises ValueError for anything else."""
        unknown = changes.keys() - {"password", "autodial", "up_bps", "down_bps"}
        if unknown:
            raise ValueError(f"a CPE has no {', '.join(sorted(unknown))} to set")
        for name, value in changes.items():
            setattr(cpe, name, value)
        if cpe.session is not None:
            cpe.session.rates_set(self._device.clock.seconds(), cpe.up_bps, cpe.down_bps)
        elif cpe.autodial:
            self._wait(cpe)
        if not cpe.autodial:
            self._waiting.pop((cpe.name, cpe.mac), None)

    def dial(self, cpe: Cpe) -> None:
        """One attempt of one CPE; a CPE that dials by itself waits for the next when it fails."""
        cpe.dials += 1
        try:
            cpe.session = self._sessions.dial(
                cpe.name, cpe.password, cpe.mac,
                up_bps=cpe.up_bps, down_bps=cpe.down_bps, on_end=lambda session: self._cut(cpe),
            )  # fmt: skip
        except Refused as refused:
            cpe.refusal = str(refused)
            self._wait(cpe)
        else:
            cpe.refusal = None
            self._waiting.pop((cpe.name, cpe.mac), None)

    async def redial_forever(self) -> None:
        """Let all who wait dial again, round after round; sleeps while everybody is online."""
        while True:
            await self._somebody_waits.wait()
            await asyncio.sleep(self._device.settings.redial_s)
            for count, cpe in enumerate(list(self._waiting.values()), start=1):
                if self._waiting.get((cpe.name, cpe.mac)) is cpe:
                    self.dial(cpe)
                if count % DIALS_PER_SLICE == 0:
                    await asyncio.sleep(0)
            if not self._waiting:
                self._somebody_waits.clear()

    def _cut(self, cpe: Cpe) -> None:
        cpe.session = None
        self._wait(cpe)

    def _wait(self, cpe: Cpe) -> None:
        if cpe.autodial:
            self._waiting[cpe.name, cpe.mac] = cpe
            self._somebody_waits.set()
