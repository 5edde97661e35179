"""The refusals a router sends as ``!trap``.

Categories as MikroTik numbers them: 0 missing item or command, 1 argument value failure, 2 execution
interrupted, 4 general failure, 5 API-related failure.
"""

from __future__ import annotations


class Trap(Exception):
    """One ``!trap``: ``category`` (see the module) and ``message``, the words the router says."""

    def __init__(self, category: int, message: str) -> None:
        super().__init__(message)
        self.category = category
        self.message = message


def no_such_item() -> Trap:
    return Trap(0, "no such item")


def no_such_command() -> Trap:
    return Trap(0, "no such command")


def unknown_parameter(name: str) -> Trap:
    return Trap(0, f"unknown parameter {name}")


def missing_argument(name: str) -> Trap:
    return Trap(0, f"missing value(s) of argument(s) {name}")


def no_such_value(name: str) -> Trap:
    """The value names something that is not there, or is none of the allowed words."""
    return Trap(1, f"input does not match any value of {name}")


def invalid_value(name: str) -> Trap:
    return Trap(1, f"invalid value for argument {name}")


def interrupted() -> Trap:
    return Trap(2, "interrupted")


def failure(text: str) -> Trap:
    return Trap(4, f"failure: {text}")


def invalid_query() -> Trap:
    return Trap(5, "invalid query")
