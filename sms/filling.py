"""Names in braces, and nothing else: how a text that staff wrote takes its values. Pure.

A text is never a program: no attributes, no indexes, no formats. What is no known name in braces is refused when the
text is kept, and stands as it was typed when it is filled.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_NAME = re.compile(r"\{([a-z_]+)\}")


def names_in(text: str) -> set[str]:
    """Every name that stands in braces."""
    return set(_NAME.findall(text))


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its values; a value is never looked at again, whatever it holds."""
    return _NAME.sub(lambda found: values.get(found[1], found[0]), text)


def unknown_in(text: str, known: Collection[str]) -> list[str]:
    """What stands in braces and is no known name, in order; a brace alone as itself."""
    strangers = [f"{{{name}}}" for name in _NAME.findall(text) if name not in known]
    alone = re.findall(r"\{[^{}]*\}|[{}]", _NAME.sub("", text))
    return list(dict.fromkeys([*strangers, *alone]))
