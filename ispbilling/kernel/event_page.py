"""The page of events: which there are, who emits them, who reacts. Generated from the code, held by a test."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from pathlib import Path

from ispbilling.kernel import events

HEAD = """# Events

How the floors talk upwards: a service writes an event beside its rows, the drainer hands it to the handlers. This page
is made by `manage.py events_page --write`; a test holds it to the code.

"""


def page(root: Path) -> str:
    """The whole page, from the registered events and the sources under ``root``."""
    emitters = emitters_of(root)
    parts = []
    for name, event_type in events.event_types().items():
        if not event_type.__module__.startswith("tests"):
            parts.append(_entry(name, event_type, sorted(emitters.get(event_type.__name__, set()))))
    return HEAD + "\n".join(parts)


def _entry(name: str, event_type: type, emitters: list[str]) -> str:
    fields = ", ".join(f"`{field.name}`" for field in dataclasses.fields(event_type))
    handlers = list(events.handlers_of(name))
    lines = [
        f"## `{name}`",
        "",
        " ".join((inspect.getdoc(event_type) or "").split()),
        "",
        f"- carries: {fields}",
        f"- emitted by: {', '.join(f'`{emitter}`' for emitter in emitters) or 'nobody'}",
        f"- handled by: {', '.join(f'`{handler}`' for handler in handlers) or 'nobody yet: it is for those above'}",
        "",
    ]
    return "\n".join(lines)


def emitters_of(root: Path) -> dict[str, set[str]]:
    """Class name of an event → functions whose source constructs it."""
    found: dict[str, set[str]] = {}
    names = {event_type.__name__ for event_type in events.event_types().values()}
    for file in sorted(root.glob("*/services/*.py")) + sorted(root.glob("*/services.py")):
        tree = ast.parse(file.read_text())
        module = ".".join(file.relative_to(root).with_suffix("").parts)
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                if isinstance(call.func, ast.Name) and call.func.id in names:
                    found.setdefault(call.func.id, set()).add(f"{module}.{function.name}")
    return found
