"""Faults of simulators: armed, drawn, counted, cleared, refused; in Python and through the control port."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
import requests

from simulators import africastalking, daraja
from simulators.africastalking import AfricasTalking
from simulators.control import ControlServer
from simulators.daraja import Daraja
from simulators.faults import Fault, Faults, choice, mixture, number

ONE = "254712345678"


def test_a_chance_is_kept_and_the_same_seed_decides_alike() -> None:
    table = {"rain": Fault("It rains.")}

    def year(seed: int) -> list[bool]:
        sky = Faults(table, seed)
        sky.arm("rain", chance=0.25)
        return [sky.one("rain") is not None for _ in range(400)]

    assert year(7) == year(7)
    assert year(7) != year(8)
    assert 70 < sum(year(7)) < 130


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "nonsense"}, "no fault nonsense"),
        ({"name": "latency", "speed": 1}, "unknown option speed"),
        ({"name": "latency", "seconds": "1"}, "seconds"),
        ({"name": "latency", "seconds": -1}, "seconds"),
        ({"name": "latency", "seconds": float("nan")}, "seconds"),
        ({"name": "latency", "on": "nowhere"}, "on"),
        ({"name": "callback_storm", "copies": 2.5}, "copies"),
        ({"name": "callback_storm", "copies": True}, "copies"),
        ({"name": "http_error", "is_accepted": 1}, "is_accepted"),
        ({"name": "callback_forged", "url": 7}, "url"),
        ({"name": "latency", "times": 0}, "times"),
        ({"name": "latency", "chance": 2}, "chance"),
        ({"name": "latency", "phone": 254}, "phone"),
    ],
)
def test_nonsense_is_refused_and_arms_nothing(given: dict[str, Any], words: str) -> None:
    faults = Faults(daraja.FAULTS)
    with pytest.raises(ValueError, match=words):
        faults.arm(**given)
    assert faults.state() == {"armed": [], "fired": {}}


@pytest.mark.parametrize("module", [daraja, africastalking])
def test_a_mixture_of_a_seed_is_always_the_same_and_can_be_armed(module: Any) -> None:
    drawn = [mixture(module.FAULTS, Random(seed), 5) for seed in range(50)]
    assert drawn == [mixture(module.FAULTS, Random(seed), 5) for seed in range(50)]
    assert {one["name"] for faults in drawn for one in faults} == set(module.FAULTS)
    for faults in drawn:
        armed = Faults(module.FAULTS)
        for one in json.loads(json.dumps(faults)):
            armed.arm(**one)
        assert len(armed.state()["armed"]) == 5


def test_options_say_what_they_take() -> None:
    assert number(1, 0, 9).draw(Random(1)) in range(10)
    assert choice("a", "b").default == "a"


@pytest.fixture(params=["daraja", "sms"])
def control(request: pytest.FixtureRequest) -> Iterator[Callable[..., requests.Response]]:
    far: Daraja | AfricasTalking
    if request.param == "daraja":
        far = Daraja()
        handlers = daraja.control_handlers(far)
    else:
        far = AfricasTalking()
        handlers = africastalking.control_handlers(far)
    server = ControlServer(handlers).start()

    def ask(name: str, /, **body: Any) -> requests.Response:
        return requests.post(f"{server.url}/{name}", json=body, timeout=10)

    yield ask
    server.stop()
    far.stop()


def test_faults_are_steered_through_the_control_port(control: Callable[..., requests.Response]) -> None:
    assert control("fault_arm", name="latency", seconds=0.5, times=2, chance=0.5, phone=ONE).json() == {}
    state = control("faults").json()
    assert state["armed"] == [
        {
            "name": "latency",
            "options": {"on": "any", "seconds": 0.5},
            "phone": ONE,
            "times": 2,
            "chance": 0.5,
            "fired": 0,
        }
    ]
    assert state["kinds"]["latency"]["options"] == {"on": "any", "seconds": 1.0}
    control("fault_clear", name="latency")
    assert control("faults").json()["armed"] == []


@pytest.mark.parametrize(
    ("command", "body"),
    [
        ("fault_arm", {"name": "nonsense"}),
        ("fault_arm", {"name": "latency", "speed": 1}),
        ("fault_arm", {"name": "latency", "seconds": []}),
        ("fault_arm", {}),
        ("fault_clear", {"name": "nonsense"}),
    ],
)
def test_the_control_port_refuses_nonsense(
    control: Callable[..., requests.Response], command: str, body: dict[str, Any]
) -> None:
    answer = control(command, **body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert control("faults").json()["armed"] == []
