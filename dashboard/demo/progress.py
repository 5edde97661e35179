"""How far the demo's history is: a small file, so that pages can tell and a fill that was killed goes on.

The file belongs to the demo's folder and is named by ``settings.DEMO_PROGRESS_FILE``; without a name there is no demo.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Progress:
    """What is being made and how much of it there is: ``done`` days of ``days`` and the one of ``last``."""

    seed: int
    days: int
    is_small: bool
    last: datetime
    done: int = 0

    @property
    def of(self) -> int:
        return self.days + 1

    @property
    def is_complete(self) -> bool:
        return self.done >= self.of

    @property
    def percent(self) -> int:
        return 100 * self.done // self.of

    @property
    def day(self) -> date:
        """The day that is being made, or the last one."""
        return (self.last - timedelta(days=max(0, self.days - self.done))).date()


def progress_file() -> Path | None:
    name = settings.DEMO_PROGRESS_FILE
    return Path(name) if name else None


def progress_read() -> Progress | None:
    """None where there is no demo, or none yet."""
    file = progress_file()
    try:
        found = json.loads(file.read_text()) if file else None
        return Progress(**{**found, "last": datetime.fromisoformat(found["last"])}) if found else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def progress_write(progress: Progress) -> None:
    """Written beside and moved over, so that nobody reads half of it."""
    file = progress_file()
    if file is None:
        return
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps({**asdict(progress), "last": progress.last.isoformat()}))
    draft.replace(file)
