"""Who holds something, and whether he is still there."""

from __future__ import annotations

import subprocess
import sys

from ispbilling.kernel import holders


def test_this_process_is_there() -> None:
    assert not holders.is_gone(holders.me())


def test_a_process_that_ended_is_gone_and_one_in_its_place_is_another() -> None:
    command = "import time; from ispbilling.kernel import holders; print(holders.me(), flush=True); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", command], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    holder = process.stdout.readline().strip()
    assert not holders.is_gone(holder)
    process.kill()
    process.wait()
    assert holders.is_gone(holder)
    host, boot, pid, started = holders.me().split(" ")
    assert holders.is_gone(f"{host} {boot} {pid} {int(started) + 1}")
    assert holders.is_gone(f"{host} 00000000 {pid} {started}")


def test_what_this_process_let_go_of_is_left_behind_even_if_that_was_never_written() -> None:
    holders.hold("router")
    assert not holders.is_left_behind(holders.me(), "router")
    holders.let_go("router")
    assert holders.is_left_behind(holders.me(), "router")


def test_of_another_machine_nothing_is_known() -> None:
    _, boot, pid, started = holders.me().split(" ")
    assert not holders.is_gone(f"elsewhere {boot} {pid} {started}")
    assert not holders.is_gone("")
    assert not holders.is_gone("nonsense")
