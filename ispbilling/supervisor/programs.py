"""The processes of an installation beside its servers, by the commands that start them."""

from __future__ import annotations

import sys
from pathlib import Path

Command = list[str | Path]


def programs(run: Path, port: int) -> dict[str, Command]:
    """Name → command, in the order they are started: workers, beat, web. ``run``: where the beat keeps its notes.

    Threads that wait for others (``outside``, ``network``) are many and do little; those of ``worker`` never wait.
    """
    celery: Command = [sys.executable, "-m", "celery", "-A", "ispbilling"]
    worker: Command = [*celery, "worker", "-P", "threads", "-l", "warning"]
    worker += ["--without-gossip", "--without-mingle", "-O", "fair"]
    web: Command = [sys.executable, "-m", "uvicorn", "ispbilling.asgi:application", "--host", "127.0.0.1"]
    web += ["--port", str(port), "--log-level", "warning", "--timeout-graceful-shutdown", "3"]
    return {
        "worker": [*worker, "-Q", "events,default", "-c", "4", "-n", "main@%h"],
        "outside": [*worker, "-Q", "outside", "-c", "16", "-n", "outside@%h"],
        "network": [*worker, "-Q", "network", "-c", "8", "-n", "network@%h"],
        "beat": [*celery, "beat", "-l", "warning", "-s", run / "beat", "--pidfile", ""],
        "web": web,
    }
