"""The time of one simulated router."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Real time plus what was added by ``advance``."""

    def __init__(self) -> None:
        self._offset_s = 0.0

    def advance(self, seconds: float) -> None:
        """Move forward. Raises ValueError for a step back: uptimes and counters only grow."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self._offset_s += seconds

    def seconds(self) -> float:
        """A count of seconds that only grows; its start means nothing."""
        return time.monotonic() + self._offset_s

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._offset_s)
