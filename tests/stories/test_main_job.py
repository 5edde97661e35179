"""The main job, told through everything that is real: HTTP, workers, Redis, PostgreSQL, the far ends over sockets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.installation import ROOT, Installation, Visitor, clean_environment, until

STEPS = 12


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.xdist_group("installation")
def test_a_customer_buys_is_online_runs_out_is_cut_pays_and_is_back() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "ispbilling.supervisor", "demo", "--check"],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    lines = told.stdout.splitlines()
    assert (told.returncode, lines[-1:]) == (0, ["main job ok"]), told.stdout + told.stderr
    assert len([line for line in lines if line.startswith("ok      walled:")]) == STEPS
    assert len([line for line in lines if line.startswith("ok      blocked:")]) == STEPS


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.xdist_group("installation")
def test_with_redis_stopped_for_a_minute_requests_are_answered_and_nothing_is_lost() -> None:
    with Installation(POLL_INTERVAL_S="2") as place:
        jane = Visitor(place, place.newcomer()["phone"])
        jane.sign_in()
        redis = place.child("redis")
        os.kill(redis, signal.SIGSTOP)
        try:
            stopped_until = time.monotonic() + 60
            address = jane.pay()
            answered = 0
            while time.monotonic() < stopped_until:
                assert jane.get("/client/").status_code == 200
                assert jane.get("/readyz").status_code == 200
                answered += 1
                time.sleep(1)
            assert answered >= 10
            [push] = place.ask("daraja.pushes")["pushes"]
            assert push["callback_statuses"] == [200]
        finally:
            os.kill(redis, signal.SIGCONT)
        until(lambda: "Paid. Thank you." in jane.get(address).text, 120)
        until(lambda: jane.messages("we received"), 120)
        online = lambda: [  # noqa: E731
            one
            for router in place.ends()["routers"]
            for one in place.ask("routeros.truth", router=router)["online"]
            if one["name"] == place.newcomer()["line"] and not one["address_lists"]
        ]
        until(online, 120)
        assert len(jane.messages("we received")) == 1


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.xdist_group("installation")
def test_one_payment_notified_twenty_times_at_once_is_booked_once() -> None:
    with Installation(POLL_INTERVAL_S="2") as place:
        jane = Visitor(place, place.newcomer()["phone"])
        jane.sign_in()
        address = jane.pay()
        until(lambda: place.ask("daraja.pushes")["pushes"][0]["callback_statuses"])
        reference = place.ask("daraja.pushes")["pushes"][0]["reference"]
        assert place.ask("daraja.send_callback", reference=reference, times=20)["statuses"] == [200] * 20
        until(lambda: "Paid. Thank you." in jane.get(address).text)
        until(lambda: jane.messages("we received"))
        time.sleep(3)
        assert len(jane.messages("we received")) == 1
        assert jane.get("/client/").text.count("KES 1,500.00</strong> <span") == 1
