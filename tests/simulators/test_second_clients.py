"""The simulators, proven with clients that are not ours."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import Any

import librouteros
import pytest
import requests
import routeros_api
from africastalking.SMS import SMSService
from librouteros.exceptions import TrapError
from routeros_api.exceptions import RouterOsApiCommunicationError

from simulators.africastalking import AfricasTalking
from simulators.daraja import Daraja
from simulators.routeros import RouterFarm, SimRouter


@pytest.fixture(scope="module")
def farm() -> Iterator[RouterFarm]:
    farm = RouterFarm()
    farm.start()
    yield farm
    farm.stop()


@pytest.fixture
def router(farm: RouterFarm) -> Iterator[SimRouter]:
    router = farm.add("r", has_tls=True, users={"admin": "pw"}, version="7.18 (stable)", redial_s=0.05)
    yield router
    router.power(False)
    del farm.routers["r"]


def libros(router: SimRouter, **options: Any) -> Any:
    given = {"port": router.port, "encoding": "utf-8", **options}
    return librouteros.connect("127.0.0.1", "admin", "pw", **given)


def pool(router: SimRouter, **options: Any) -> Any:
    return routeros_api.RouterOsApiPool(
        "127.0.0.1", username="admin", password="pw", port=router.port, plaintext_login=True, **options
    )


def test_librouteros_adds_reads_changes_and_removes(router: SimRouter) -> None:
    secrets = libros(router).path("ppp", "secret")
    row_id = secrets.add(name="jane", password="x", profile="default")
    secrets.update(**{".id": row_id, "disabled": True})
    assert [(row["name"], row["disabled"]) for row in secrets] == [("jane", True)]
    secrets.remove(row_id)
    assert tuple(secrets) == ()


def test_librouteros_gets_traps_in_the_routers_words(router: SimRouter) -> None:
    api = libros(router)
    with pytest.raises(TrapError, match="no such command"):
        tuple(api("/no/such/thing"))
    api.path("ppp", "secret").add(name="jane")
    with pytest.raises(TrapError, match="already exists"):
        api.path("ppp", "secret").add(name="jane")
    with pytest.raises(TrapError, match="no such item"):
        api.path("ppp", "secret").remove("*FF")
    with pytest.raises(TrapError, match="unknown parameter"):
        api.path("ppp", "secret").add(name="bob", nonsense="1")


def test_librouteros_asks_with_queries(router: SimRouter) -> None:
    api = libros(router)
    for name in ("a", "b", "c"):
        api.path("ppp", "secret").add(name=name)
    assert [row["name"] for row in api.rawCmd("/ppp/secret/print", "?name=a", "?name=c", "?#|")] == ["a", "c"]
    assert [row["name"] for row in api.rawCmd("/ppp/secret/print", "?>name=a")] == ["b", "c"]


def test_librouteros_over_tls(router: SimRouter) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    api = libros(router, port=router.tls_port, ssl_wrapper=context.wrap_socket)
    assert next(iter(api("/system/identity/print")))["name"] == "r"


@pytest.mark.parametrize("client", ["librouteros", "routeros_api"])
def test_a_wrong_password_is_a_trap(router: SimRouter, client: str) -> None:
    router.set(users={"admin": "other"})
    if client == "librouteros":
        with pytest.raises(TrapError, match="invalid user name or password"):
            libros(router)
    else:
        with pytest.raises(RouterOsApiCommunicationError, match="invalid user name or password"):
            pool(router).get_api()


def test_the_old_log_in_works_for_librouteros(farm: RouterFarm) -> None:
    router = farm.add("old", users={"admin": "pw"}, login="old", version="6.40.9 (stable)")
    api = libros(router, login_method=librouteros.token)
    assert next(iter(api("/system/resource/print")))["version"] == "6.40.9 (stable)"


def test_routeros_api_reads_and_writes(router: SimRouter) -> None:
    connection = pool(router)
    secrets = connection.get_api().get_resource("/ppp/secret")
    secrets.add(name="jane", password="x")
    assert [row["name"] for row in secrets.get(name="jane")] == ["jane"]
    connection.disconnect()


def test_routeros_api_sees_a_session(router: SimRouter) -> None:
    connection = pool(router)
    api = connection.get_api()
    api.get_resource("/ppp/secret").add(name="jane", password="x")
    router.subscriber_dial("jane", "x")
    assert [row["name"] for row in api.get_resource("/ppp/active").get()] == ["jane"]
    assert [row["name"] for row in api.get_resource("/interface").get(type="pppoe-in")] == ["<pppoe-jane>"]
    connection.disconnect()


def raw(router: SimRouter, *sentences: list[str]) -> socket.socket:
    def word(text: str) -> bytes:
        data = text.encode()
        return bytes([len(data)]) + data

    wire = socket.create_connection(("127.0.0.1", router.port), timeout=10)
    for sentence in (["/login", "=name=admin", "=password=pw"], *sentences):
        wire.sendall(b"".join(map(word, sentence)) + b"\0")
    return wire


def heard(wire: socket.socket, *wanted: bytes) -> bytes:
    data = b""
    while not all(one in data for one in wanted):
        received = wire.recv(4096)
        assert received, data
        data += received
    return data


def test_tagged_commands_run_side_by_side_and_an_empty_answer_says_so(router: SimRouter) -> None:
    wire = raw(router, ["/ppp/secret/print", ".tag=a"], ["/ppp/active/print", ".tag=b"])
    data = heard(wire, b".tag=a", b".tag=b", b"!empty")
    assert data.count(b"!done") >= 1
    wire.close()


def test_a_command_can_be_cancelled(router: SimRouter) -> None:
    wire = raw(router, ["/interface/monitor-traffic", "=interface=ether1", ".tag=m"])
    heard(wire, b"rx-bits-per-second")
    wire.sendall(b"\x07/cancel\x06=tag=m\x00")
    heard(wire, b"=message=interrupted")
    wire.close()


def test_a_reserved_byte_ends_the_conversation(router: SimRouter) -> None:
    wire = raw(router)
    heard(wire, b"!done")
    wire.sendall(b"\xff")
    assert wire.recv(4096) == b""


def test_nothing_is_told_before_logging_in(router: SimRouter) -> None:
    with socket.create_connection(("127.0.0.1", router.port), timeout=10) as wire:
        wire.sendall(b"\x11/ppp/secret/print\x00")
        assert b"!fatal" in wire.recv(4096)


def test_the_vendors_own_client_sends_a_message() -> None:
    far = AfricasTalking(apps={"isp": "key"})
    far.start()
    try:
        service = SMSService("isp", "key")
        service._baseUrl = far.url + "/version1"
        answer = service.send("Habari", ["+254712345678"])
        [recipient] = answer["SMSMessageData"]["Recipients"]
        assert (recipient["statusCode"], recipient["number"]) == (101, "+254712345678")
        assert [message["text"] for message in far.messages] == ["Habari"]
    finally:
        far.stop()


def test_daraja_checks_what_the_real_one_checks() -> None:
    far = Daraja()
    far.start()
    try:
        query = "/oauth/v1/generate?grant_type=client_credentials"
        good = requests.get(far.url + query, auth=("simulated-key", "simulated-secret"), timeout=10)
        bad = requests.get(far.url + query, auth=("simulated-key", "wrong"), timeout=10)
        token = good.json()["access_token"]
        assert (good.json()["expires_in"], bad.status_code) == ("3599", 400)
        push = f"{far.url}/mpesa/stkpush/v1/processrequest"
        headers = {"Authorization": f"Bearer {token}"}
        assert requests.post(push, json={}, timeout=10).json()["errorCode"] == "404.001.03"
        assert requests.post(push, json={}, headers=headers, timeout=10).json()["errorCode"] == "400.002.02"
        requests.get(far.url + query, auth=("simulated-key", "simulated-secret"), timeout=10)
        assert requests.post(push, json={}, headers=headers, timeout=10).json()["errorCode"] == "404.001.03"
    finally:
        far.stop()
