"""What the control port may do with Africa's Talking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators import faults
from simulators.africastalking.faults import STATUSES
from simulators.africastalking.server import CODES, TAKEN, AfricasTalking
from simulators.control import Handler


def control_handlers(simulator: AfricasTalking) -> Mapping[str, Handler]:
    """Handlers by name, JSON in and out."""

    def messages(body: dict[str, Any]) -> dict[str, Any]:
        phone = body.get("phone")
        return {"messages": [one for one in list(simulator.messages) if phone in (None, one["to"])]}

    def phone_behaviour(body: dict[str, Any]) -> dict[str, Any]:
        behaviour = str(body["behaviour"])
        if behaviour not in (*CODES, *TAKEN):
            raise ValueError(f"no behaviour {behaviour}")
        simulator.behaviours[body.get("phone")] = behaviour
        return {}

    def settings(body: dict[str, Any]) -> dict[str, Any]:
        """``username``: for one application; else for all that have no address of their own."""
        if "delivery_report_url" in body:
            simulator.report_urls[body.get("username")] = str(body["delivery_report_url"])
        simulator.report_delay_s = float(body.get("delay_s", simulator.report_delay_s))
        status = str(body.get("report_status", simulator.report_status))
        if status not in STATUSES:
            raise ValueError(f"no report status {status}")
        simulator.report_status = status
        return {}

    def report_send(body: dict[str, Any]) -> dict[str, Any]:
        """Report by hand on a message that was taken, ``times`` at once."""
        message = next((one for one in list(simulator.messages) if one["id"] == body["id"]), None)
        if message is None:
            raise ValueError("no such message")
        status = str(body.get("status", simulator.report_status))
        if status not in STATUSES:
            raise ValueError(f"no report status {status}")
        return {"statuses": simulator.reports.send(message, status, int(body.get("times", 1)))}

    return {
        "messages": messages,
        "phone_behaviour": phone_behaviour,
        "settings": settings,
        "report_send": report_send,
        "reports": lambda _body: {"reports": list(simulator.reports.statuses)},
        "journal": lambda _body: {"journal": list(simulator.journal)},
        **faults.control_handlers(simulator.faults),
    }
