"""An init system for one installation: starts its servers and programs, and starts again whatever ends.

``python -m tests.faults.keeper FOLDER PORT``. What runs stands in ``run/pids.json`` (name → pid), written anew after
every start; a program named by a file ``run/hold-NAME`` is left dead while the file is there. Ends, and everything with
it, when its standard input ends.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path

from ispbilling.supervisor.paths import CHECKOUT, Folders
from ispbilling.supervisor.processes import Child, Family
from ispbilling.supervisor.programs import programs
from ispbilling.supervisor.servers import start_servers

PAUSE_S = 0.3  # between two starts of the same program


class Keeper:
    def __init__(self, folder: Path, port: int) -> None:
        self.folders = Folders.make(folder)
        self.family = Family(self.folders.logs)
        self.port = port
        self.next_start: dict[str, float] = {}

    def start(self) -> None:
        environment = start_servers(self.folders, self.family, max_connections=300)
        (self.folders.run / "servers.json").write_text(
            json.dumps({name: environment[name] for name in ("DATABASE_URL", "ADMIN_DATABASE_URL", "REDIS_URL")})
        )
        migrate = [sys.executable, "manage.py", "migrate", "--database", "owner", "-v0"]
        subprocess.run(migrate, env=environment, cwd=CHECKOUT, check=True)
        for name, command in programs(self.port, 0).items():
            if name != "wall-page":
                self.family.spawn(name, command, env=environment, cwd=CHECKOUT)
        self.announce()

    def announce(self) -> None:
        pids = {child.name: child.process.pid for child in self.family.children}
        draft = self.folders.run / "pids.new"
        draft.write_text(json.dumps(pids))
        draft.rename(self.folders.run / "pids.json")

    def keep(self) -> None:
        """Until nobody holds the other end of our standard input."""
        while not select.select([sys.stdin], [], [], 0.05)[0] or os.read(sys.stdin.fileno(), 100):
            for child in self.family.children:
                if child.process.poll() is not None and self._may_start(child):
                    self.next_start[child.name] = time.monotonic() + PAUSE_S
                    self.family.revive(child)
                    self.announce()

    def _may_start(self, child: Child) -> bool:
        is_held = (self.folders.run / f"hold-{child.name}").exists()
        return not is_held and time.monotonic() >= self.next_start.get(child.name, 0)

    def stop(self) -> None:
        self.family.stop()
        self.folders.remove_sockets()


def main() -> int:
    keeper = Keeper(Path(sys.argv[1]), int(sys.argv[2]))
    try:
        keeper.start()
        keeper.keep()
    finally:
        keeper.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
