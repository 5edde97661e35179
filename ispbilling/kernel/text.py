"""Text of the outside world, made fit for a column."""

from __future__ import annotations

import re
from typing import Any

# PostgreSQL stores no NUL, UTF-8 no half of a surrogate pair, and a log line no other control character.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


def foreign(value: Any, limit: int) -> str:
    """Whatever another program sent as text of at most ``limit`` characters; None is empty."""
    return "" if value is None else _UNFIT.sub(" ", str(value)).strip()[:limit].strip()
