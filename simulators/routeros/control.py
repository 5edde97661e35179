"""What the control port may do with the routers. Every body names its ``router``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.control import Handler

from .server import RouterFarm
from .traps import Trap


def control_handlers(farm: RouterFarm) -> Mapping[str, Handler]:
    """Handlers by name, JSON in and out."""

    def router_add(body: dict[str, Any]) -> dict[str, Any]:
        settings = {name: value for name, value in body.items() if name not in ("router", "port", "has_tls")}
        router = farm.add(body["router"], port=int(body.get("port", 0)), has_tls=bool(body.get("has_tls")), **settings)
        return {"port": router.port, "tls_port": router.tls_port, "fingerprint": router.fingerprint}

    def router_set(body: dict[str, Any]) -> dict[str, Any]:
        farm.router(body.pop("router")).set(**body)
        return {}

    def cpe_add(body: dict[str, Any]) -> dict[str, Any]:
        router = farm.router(body.pop("router"))
        router.cpe_add(body.pop("name"), body.pop("password"), body.pop("mac", "02:00:00:00:00:01"), **body)
        return {}

    def cpe_remove(body: dict[str, Any]) -> dict[str, Any]:
        farm.router(body["router"]).cpe_remove(body["name"])
        return {}

    def advance(body: dict[str, Any]) -> dict[str, Any]:
        farm.router(body["router"]).advance(float(body["seconds"]))
        return {}

    def power(body: dict[str, Any]) -> dict[str, Any]:
        farm.router(body["router"]).power(bool(body["is_on"]))
        return {}

    def command(body: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = farm.router(body["router"]).by_hand(*body["words"])
        except Trap as trap:
            raise ValueError(trap.message) from trap
        return {"rows": answer.rows, "ret": answer.ret}

    return {
        "router_add": router_add,
        "router_set": router_set,
        "cpe_add": cpe_add,
        "cpe_remove": cpe_remove,
        "advance": advance,
        "power": power,
        "command": command,
        "truth": lambda body: {"online": farm.router(body["router"]).truth()},
        "journal": lambda body: {"journal": farm.router(body["router"]).journal()},
        "table": lambda body: {"rows": farm.router(body["router"]).rows(body["path"])},
    }
