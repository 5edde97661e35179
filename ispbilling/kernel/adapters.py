"""What adapters of every kind share: their settings' description and their truth about themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ispbilling.kernel.errors import Refused


class Proven(StrEnum):
    """Against what an adapter was seen to work."""

    SIMULATOR = "simulator"
    SANDBOX = "sandbox"
    REAL = "real"


@dataclass(frozen=True, slots=True)
class Facts:
    """The adapter's truth about itself: what it was written from, what it was proven against, what is missing."""

    docs: str
    proven: Proven
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConfigField:
    """One setting of an account. The settings form and ``provider_add`` are made from these."""

    label: str
    help: str = ""
    secret: bool = False
    required: bool = True
    default: str = ""


def clean_config(fields: Mapping[str, ConfigField], given: Mapping[str, Any]) -> dict[str, str]:
    """The settings of an account, complete, with defaults, without strangers. Raises Refused ``config.invalid``."""
    unknown = sorted(set(given) - set(fields))
    missing = sorted(
        name for name, entry in fields.items() if entry.required and not entry.default and not given.get(name)
    )
    problems = [f"unknown: {', '.join(unknown)}"] if unknown else []
    problems += [f"missing: {', '.join(missing)}"] if missing else []
    if problems:
        raise Refused("config.invalid", "; ".join(problems))
    return {name: str(given.get(name) or entry.default) for name, entry in fields.items()}
