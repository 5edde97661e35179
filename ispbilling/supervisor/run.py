"""``run-with-servers``: a command with private servers around it, in a folder that is gone afterwards."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from ispbilling.supervisor.paths import CHECKOUT, Folders
from ispbilling.supervisor.processes import Family, StartFailed
from ispbilling.supervisor.servers import start_servers


def run_with_servers(command: Sequence[str]) -> int:
    """Returns the command's exit status; 1 when the servers did not come up."""
    folder = Path(tempfile.mkdtemp(prefix="isp-"))
    folder.chmod(0o711)  # as root, PostgreSQL's user must get through to its part
    folders = Folders.make(folder)
    family = Family(folders.logs)
    process: subprocess.Popen[bytes] | None = None

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if process is not None and process.poll() is None:
            process.send_signal(number)
        else:
            raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGINT, pass_on)
    try:
        environment = start_servers(folders, family, is_durable=False, max_connections=200)
        process = subprocess.Popen(list(command), env=environment, cwd=CHECKOUT)
        return process.wait()
    except StartFailed as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        family.stop()
        folders.remove_sockets()
        shutil.rmtree(folder, ignore_errors=True)
