"""What the control port may do with the routers, JSON in and out. Every body names its ``router``.

Each handler is the method of SimRouter of the same name; what that raises is answered 400.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simulators.control import Handler

from .faults import KINDS
from .server import RouterFarm, SimRouter
from .sessions import DialRefused
from .traps import Trap

Body = dict[str, Any]
Step = Callable[[SimRouter, Body], Body | None]


def control_handlers(farm: RouterFarm) -> Mapping[str, Handler]:
    """Handlers by name."""

    def router_add(body: Body) -> Body:
        settings = {name: value for name, value in body.items() if name not in ("router", "port", "has_tls")}
        router = farm.add(body["router"], port=int(body.get("port", 0)), has_tls=bool(body.get("has_tls")), **settings)
        return {"port": router.port, "tls_port": router.tls_port, "fingerprint": router.fingerprint}

    def handler(step: Step) -> Handler:
        def handle(body: Body) -> Body:
            router = farm.router(body.pop("router"))
            try:
                return step(router, body) or {}
            except (Trap, DialRefused) as refusal:
                raise ValueError(str(refusal)) from refusal

        return handle

    def fault_kinds(_: Body) -> Body:
        return {"kinds": {name: {"says": kind.says, "options": _options(name)} for name, kind in KINDS.items()}}

    return {
        "router_add": router_add,
        "fault_kinds": fault_kinds,
        **{name: handler(step) for name, step in _STEPS.items()},
    }


def _options(name: str) -> dict[str, str]:
    kind = KINDS[name]
    return {
        "at": ", ".join(kind.places),
        "when": ", ".join(kind.phases),
        **{option: form.says for option, form in kind.options.items()},
    }


def _command(router: SimRouter, body: Body) -> Body:
    answer = router.by_hand(*body["words"])
    return {"rows": answer.rows, "ret": answer.ret}


def _cpe_add(router: SimRouter, body: Body) -> None:
    router.cpe_add(body.pop("name"), body.pop("password"), body.pop("mac", "02:00:00:00:00:01"), **body)


def _cpes_add(router: SimRouter, body: Body) -> Body:
    return {"online": router.cpes_add(int(body.pop("count")), **body)}


def _secrets_add(router: SimRouter, body: Body) -> Body:
    return {"added": router.secrets_add(int(body.pop("count")), **body)}


def _dial(router: SimRouter, body: Body) -> None:
    router.subscriber_dial(body["name"], body["password"], body.get("mac", "02:00:00:00:00:01"))


def _connections(router: SimRouter, body: Body) -> Body:
    """``max_open_logins`` by user, and of all together."""
    entries = router.connections_journal()
    users = sorted({entry["user"] for entry in entries if entry["logged_in_s"] is not None})
    return {
        "connections": entries,
        "max_open_logins": {user: router.max_open_logins(user) for user in users},
        "max_open_logins_together": router.max_open_logins(),
    }


def _fault_add(router: SimRouter, body: Body) -> Body:
    return {"fault": router.fault_add(body.pop("kind"), **body).as_json()}


_STEPS: dict[str, Step] = {
    "status": lambda router, body: {
        "is_powered": router.device.is_powered,
        "is_listening": router.is_listening,
        "items_served": router.processor.served,
    },
    "router_set": lambda router, body: router.set(**body),
    "cpe_add": _cpe_add,
    "cpes_add": _cpes_add,
    "cpe_remove": lambda router, body: router.cpe_remove(body["name"]),
    "secrets_add": _secrets_add,
    "dial": _dial,
    "command": _command,
    "advance": lambda router, body: router.advance(float(body["seconds"])),
    "power": lambda router, body: router.power(bool(body["is_on"])),
    "reboot": lambda router, body: {"fault": router.fault_add("reboot", at="now", **body).as_json()},
    "refuse": lambda router, body: {"fault": router.fault_add("port_closed", at="now", **body).as_json()},
    "fault_add": _fault_add,
    "faults": lambda router, body: {"faults": router.faults_list()},
    "fault_remove": lambda router, body: router.fault_remove(int(body["number"])),
    "faults_clear": lambda router, body: router.faults_clear(),
    "faults_release": lambda router, body: router.faults_release(body.get("number")),
    "truth": lambda router, body: {"online": router.truth()},
    "fate": lambda router, body: router.fate(body.pop("name"), **body),
    "online": lambda router, body: {"names": router.online()},
    "journal": lambda router, body: {"journal": router.journal()},
    "journal_clear": lambda router, body: router.journal_clear(),
    "connections": _connections,
    "connections_clear": lambda router, body: router.connections_clear(),
    "table": lambda router, body: {"rows": router.rows(body["path"])},
}
