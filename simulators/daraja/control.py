"""What the control port may do with Daraja."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from simulators import faults
from simulators.control import Handler
from simulators.daraja.server import Daraja
from simulators.daraja.till import ENDS, OPEN, Push


def control_handlers(daraja: Daraja) -> Mapping[str, Handler]:
    """Handlers by name, JSON in and out."""

    def find(body: dict[str, Any]) -> Push:
        for push in list(daraja.pushes.values()):
            if body.get("checkout_request_id") == push.checkout_request_id or body.get("reference") == push.reference:
                return push
        raise ValueError("no such push")

    def phone_behaviour(body: dict[str, Any]) -> dict[str, Any]:
        behaviour = str(body["behaviour"])
        if behaviour not in (*ENDS, "hold"):
            raise ValueError(f"no behaviour {behaviour}")
        daraja.behaviours[body.get("phone")] = (behaviour, float(body.get("delay_s", 0.3)))
        return {}

    def decide(body: dict[str, Any]) -> dict[str, Any]:
        daraja.end(find(body), str(body["behaviour"]))
        return {}

    def send_callback(body: dict[str, Any]) -> dict[str, Any]:
        push = find(body)
        if push.state == OPEN:
            raise ValueError("nobody has decided yet")
        return {"statuses": daraja.send_callback(push, int(body.get("times", 1)))}

    def settings(body: dict[str, Any]) -> dict[str, Any]:
        daraja.query_in_flight = str(body.get("query_in_flight", daraja.query_in_flight))
        daraja.offset_s = float(body.get("offset_s", daraja.offset_s))
        return {}

    def statement_add(body: dict[str, Any]) -> dict[str, Any]:
        daraja.others.append({str(name): str(value) for name, value in body.items()})
        return {}

    return {
        "statement_add": statement_add,
        "phone_behaviour": phone_behaviour,
        "decide": decide,
        "send_callback": send_callback,
        "settings": settings,
        "pushes": lambda _body: {"pushes": [asdict(push) for push in list(daraja.pushes.values())]},
        "journal": lambda _body: {"journal": list(daraja.journal)},
        **faults.control_handlers(daraja.faults),
    }
