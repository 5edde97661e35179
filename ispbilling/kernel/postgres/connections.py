"""This thread's connection, given back while something slow is waited for."""

from __future__ import annotations

from django.db import connection


def connection_release() -> None:
    """Close the connection until it is needed again: a thread that waits for a router keeps no server process busy.

    Inside a transaction nothing happens.
    """
    if not connection.in_atomic_block:
        connection.close()
