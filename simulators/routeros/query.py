"""Query words of ``print``: a little stack machine that decides about each row.

``?name=x`` and ``?=name=x`` equal, ``?>name=x`` ``?<name=x`` compare, ``?name`` has and ``?-name`` lacks the
property: each pushes true or false. ``?#`` applies operators from left to right: ``!`` not, ``&`` and, ``|``
or; digits are a stack index (top = 0): followed by a character they push a copy of that value, at the end of
the word they replace the whole stack by it; ``.`` after an index does nothing, else it copies the top. What
is left on the stack at the end is ANDed.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence

from . import traps, values

Columns = Mapping[str, str]
Operation = Callable[[list[bool], Columns], None]

_OPERATIONS = re.compile(r"(?:\d+|[!&|.])*\Z")


class Query:
    """The query words of one command, ready to be asked about rows. Raises Trap for malformed words."""

    def __init__(self, words: Sequence[str]) -> None:
        self._operations: list[Operation] = []
        self._equals: dict[str, str] = {}
        self._is_plain = True
        for word in words:
            self._compile(word[1:])

    def __bool__(self) -> bool:
        return bool(self._operations)

    def wanted(self, name: str) -> str | None:
        """The value ``name`` must have for a row to match, when that is certain; lets an index be used."""
        return self._equals.get(name) if self._is_plain else None

    def matches(self, columns: Columns) -> bool:
        stack: list[bool] = []
        for operation in self._operations:
            operation(stack, columns)
        return all(stack)

    def _compile(self, text: str) -> None:
        if text.startswith("#"):
            self._is_plain = False
            self._operations.append(_stack_operation(text[1:]))
        elif text.startswith("-"):
            self._operations.append(_push(_presence(text[1:], False)))
        elif text.startswith((">", "<")):
            name, equals, value = text[1:].partition("=")
            if not equals:
                raise traps.invalid_query()
            wanted = 1 if text[0] == ">" else -1
            self._operations.append(_push(_comparer(name, value, wanted)))
        else:
            name, equals, value = text.removeprefix("=").partition("=")
            if not name:
                raise traps.invalid_query()
            if equals:
                self._equals.setdefault(name, value)
                self._operations.append(_push(_equality(name, value)))
            else:
                self._operations.append(_push(_presence(name, True)))


def _push(test: Callable[[Columns], bool]) -> Operation:
    return lambda stack, columns: stack.append(test(columns))


def _presence(name: str, wanted: bool) -> Callable[[Columns], bool]:
    return lambda columns: (name in columns) is wanted


def _equality(name: str, value: str) -> Callable[[Columns], bool]:
    as_bool = {"yes": "true", "no": "false"}.get(value, value)

    def test(columns: Columns) -> bool:
        found = columns.get(name)
        return found == value or (found in ("true", "false") and found == as_bool)

    return test


def _comparer(name: str, value: str, wanted: int) -> Callable[[Columns], bool]:
    def test(columns: Columns) -> bool:
        found = columns.get(name)
        return found is not None and _order(found, value) == wanted

    return test


def _order(left: str, right: str) -> int:
    """-1, 0 or 1, by number, duration or address when both sides are one, else by text."""
    for read in (int, values.duration_parse, _address_number):
        try:
            a, b = read(left), read(right)
        except ValueError:
            continue
        return (a > b) - (a < b)
    return (left > right) - (left < right)


def _address_number(text: str) -> int:
    return int(ipaddress.IPv4Address(text))


def _stack_operation(text: str) -> Operation:
    if not _OPERATIONS.match(text):
        raise traps.invalid_query()
    tokens = re.findall(r"\d+|[!&|.]", text)

    def apply(stack: list[bool], columns: Columns) -> None:
        try:
            for place, token in enumerate(tokens):
                if token.isdecimal():
                    value = stack[-1 - int(token)]
                    if place == len(tokens) - 1:
                        stack[:] = [value]
                    else:
                        stack.append(value)
                elif token == "!":
                    stack[-1] = not stack[-1]
                elif token == "&":
                    right = stack.pop()
                    stack[-1] = stack[-1] and right
                elif token == "|":
                    right = stack.pop()
                    stack[-1] = stack[-1] or right
                elif place == 0 or not tokens[place - 1].isdecimal():
                    stack.append(stack[-1])
        except IndexError as error:
            raise traps.invalid_query() from error

    return apply
