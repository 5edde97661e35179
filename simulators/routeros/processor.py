"""Where time goes: the way to the router, and the router's one processor."""

from __future__ import annotations

import asyncio
import random
import time

from .device import Settings

GRAIN_S = 0.001  # an event loop sleeps no shorter than this: shorter work is saved up
CREDIT_S = 0.01  # sleeping too long is made up for, but not without end


class Processor:
    """Serves one row at a time, whichever connection or tag it is for, in the order of asking.

    Work is done inside ``async with processor.turn`` and paid for there with ``spend``.
    """

    def __init__(self, settings: Settings) -> None:
        self.turn = asyncio.Lock()
        self._settings = settings
        self._owed_s = 0.0
        self.served = 0  # rows, while serving them takes time

    @property
    def takes_time(self) -> bool:
        return self._settings.service_ms_per_item > 0

    async def spend(self, items: int) -> None:
        """Take the time that ``items`` rows need."""
        self.served += items
        self._owed_s += items * self._settings.service_ms_per_item / 1000
        if self._owed_s >= GRAIN_S:
            began = time.monotonic()
            await asyncio.sleep(self._owed_s)
            self._owed_s = max(self._owed_s - (time.monotonic() - began), -CREDIT_S)


class Way:
    """The line to one router: how long a sentence is under way. The draws repeat with the router's seed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.chance = random.Random(settings.seed)

    def delay_ms(self) -> float:
        """Latency, and a part of the jitter that is drawn for each sentence."""
        delay_ms = self._settings.latency_ms
        if self._settings.jitter_ms:
            delay_ms += self.chance.uniform(0, self._settings.jitter_ms)
        return delay_ms
