"""``python -m simulators``: routers, Daraja and Africa's Talking in one process, with a control port."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from simulators import africastalking, daraja, routeros
from simulators.africastalking import AfricasTalking
from simulators.control import ControlServer
from simulators.daraja import Daraja
from simulators.routeros import RouterFarm

USERNAME, PASSWORD = "billing", "billing-api"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m simulators", description=__doc__)
    parser.add_argument("--routers", type=int, default=0, help="so many routers, r1 to rN, at any free port")
    parser.add_argument("--router", action="append", default=[], metavar="NAME:PORT", help="a router; port 0 = any")
    parser.add_argument("--daraja-port", type=int, default=0)
    parser.add_argument("--sms-port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--announce", type=Path, help="a file to write the addresses into, as JSON")
    given = parser.parse_args(arguments)

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    farm, gateway, texts = RouterFarm(), Daraja(port=given.daraja_port), AfricasTalking(port=given.sms_port)
    farm.start()
    gateway.start()
    texts.start()
    wanted = [(f"r{number}", 0) for number in range(1, given.routers + 1)]
    wanted += [(name, int(port or 0)) for name, _, port in (text.partition(":") for text in given.router)]
    for name, port in wanted:
        farm.add(name, port=port, has_tls=True, users={USERNAME: PASSWORD})
    handlers: dict[str, Any] = {}
    for prefix, found in (
        ("routeros", routeros.control_handlers(farm)),
        ("daraja", daraja.control_handlers(gateway)),
        ("sms", africastalking.control_handlers(texts)),
    ):
        handlers |= {f"{prefix}.{name}": handler for name, handler in found.items()}
    control = ControlServer(handlers, port=given.control_port)
    control.start()
    addresses = json.dumps(_addresses(farm, gateway, texts, control))
    if given.announce:
        draft = given.announce.with_suffix(".new")
        draft.write_text(addresses)
        draft.rename(given.announce)
    print(addresses, flush=True)
    stop.wait()
    control.stop()
    texts.stop()
    gateway.stop()
    farm.stop()
    return 0


def _addresses(farm: RouterFarm, gateway: Daraja, texts: AfricasTalking, control: ControlServer) -> dict[str, Any]:
    shop = next(iter(gateway.shops.values()))
    username, api_key = next(iter(texts.apps.items()))
    return {
        "control": control.url,
        "daraja": gateway.url,
        "africastalking": texts.url,
        "routers": {
            name: {
                "host": "127.0.0.1",
                "port": router.port,
                "tls_port": router.tls_port,
                "username": USERNAME,
                "password": PASSWORD,
            }
            for name, router in farm.routers.items()
        },
        "mpesa": {
            "business_shortcode": shop.shortcode,
            "passkey": shop.passkey,
            "consumer_key": shop.consumer_key,
            "consumer_secret": shop.consumer_secret,
        },
        "sms": {"username": username, "api_key": api_key},
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
