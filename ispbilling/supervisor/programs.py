"""The processes of an installation beside its servers, by the commands that start them."""

from __future__ import annotations

import sys
from pathlib import Path

Command = list[str | Path]

#: What is looked at; the others work.
PAGES = frozenset({"web"})


def programs(port: int, wall_port: int) -> dict[str, Command]:
    """Name → command, in the order they are started: workers, beat, web, the page behind the wall.

    Threads that wait for others (``outside``, ``network``) are many and do little; those of ``worker`` never wait.
    Routers that hang must not keep the others waiting, and none holds a connection to the database meanwhile.
    """
    return {
        "worker": worker("main", "events,default", threads=4),
        "outside": worker("outside", "outside", threads=16),
        "network": worker("network", "network", threads=64),
        "beat": [sys.executable, "-m", "celery", "-A", "ispbilling", "beat", "-l", "warning", "--pidfile", ""],
        "web": _web("ispbilling.asgi", port),
        "wall-page": _web("portal.wall_server", wall_port),
    }


def worker(name: str, queues: str, *, threads: int) -> Command:
    command: Command = [sys.executable, "-m", "celery", "-A", "ispbilling", "worker", "-P", "threads"]
    command += ["-c", str(threads), "-Q", queues, "-n", f"{name}@%h", "-l", "warning", "-O", "fair"]
    return [*command, "--without-gossip", "--without-mingle"]


def _web(module: str, port: int) -> Command:
    command: Command = [sys.executable, "-m", "uvicorn", f"{module}:application", "--host", "127.0.0.1"]
    return [*command, "--port", str(port), "--log-level", "warning", "--timeout-graceful-shutdown", "3"]
