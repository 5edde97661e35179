"""Routers by other makers: small servers of the RouterOS API, each with habits the manual does not promise.

Written from the protocol's description, apart from the simulator and from the product. ``HABITS`` are the makes the
whole suite runs at; on each there are rows that are not ours.
"""

from __future__ import annotations

import hashlib
import re
import socket
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.network.plain import Sentence, Sentences, sentence

Row = dict[str, str]


@dataclass(frozen=True)
class Habits:
    """What a make of router does. ``lists``: takes them, refuses them, or obeys the first id only; ``queries``: obeys,
    ignores or refuses ``?…``; ``booleans``: how no and yes are printed, an empty text being left out."""

    version: str = "7.11 (stable)"
    login: str = "new"  # or old
    bad_login: str = "trap"  # or fatal, close
    bad_login_text: str = "invalid user name or password (6)"
    echoes_tags: bool = True
    takes_tags: bool = True
    tags_refusals: bool = True
    ends_after_trap: bool = True
    says_empty: bool = False
    ret_always: bool = False
    proplist: str = "obeyed"  # or ignored, refused
    queries: str = "obeyed"
    lists: str = "taken"  # or refused, first
    names_rows_by: tuple[str, ...] = (".id", "numbers")
    id_form: str = "*{n:X}"
    booleans: tuple[str, str] = ("false", "true")
    rates: str = "given"  # or bits, letters
    shows_passwords: bool = True
    unknown: frozenset[str] = frozenset()
    duplicate: str = "failure: secret with the same name already exists"
    menus: frozenset[str] = frozenset({"/interface", "/system/identity", "/ip/firewall"})
    piece: int = 0  # bytes of an answer sent at once; 0: all


HABITS: dict[str, Habits] = {
    "one that knows no tags": Habits(
        version="6.49.10 (long-term)", echoes_tags=False, proplist="ignored", queries="ignored", lists="refused",
        id_form="row{n}", booleans=("no", "yes"), ret_always=True, bad_login="close", piece=700,
        menus=frozenset({"/system/identity"}),
    ),
    "one that obeys the first of a list": Habits(
        version="6.42.1", login="old", lists="first", rates="bits", queries="refused", shows_passwords=False,
        bad_login="fatal", bad_login_text="cannot log in", says_empty=True, ends_after_trap=False,
    ),
    "one that forgets the tags of refusals": Habits(tags_refusals=False, queries="refused", ret_always=True),
    "one with words of its own": Habits(
        version="7.20.2 (stable)", names_rows_by=("numbers",), unknown=frozenset({"address-list", "service"}),
        booleans=("", "true"), rates="letters", proplist="refused", bad_login_text="cannot log in",
        duplicate="failure: duplicate entry", piece=11, menus=frozenset({"/interface"}),
    ),
    "one that refuses tags and says no ends": Habits(
        takes_tags=False, echoes_tags=False, ends_after_trap=False, bad_login="fatal", says_empty=True,
        bad_login_text="login failure",
    ),
}  # fmt: skip


class Trapped(Exception):
    """What the router says in a ``!trap``."""


@dataclass
class OtherRouter:
    """One router: its tables, who dials in, and the port it listens at."""

    habits: Habits
    user: str = "billing"
    password: str = "billing-api"
    tables: dict[str, dict[str, Row]] = field(default_factory=dict)
    boxes: dict[str, Row] = field(default_factory=dict)
    refusals: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self._count = 0
        for path in ("/ppp/secret", "/ppp/profile", "/ppp/active", "/interface"):
            self.tables[path] = {}
        self.tables["/system/resource"] = {"": {"version": self.habits.version, "uptime": "1d02:03:04"}}
        self.tables["/system/identity"] = {"": {"name": "other"}}
        for path in ("/ip/firewall/address-list", "/ip/firewall/filter", "/ip/firewall/nat"):
            self.tables[path] = {}
        self.add("/ppp/profile", {"name": "default", "local-address": "10.1.0.1"})
        self.add("/ppp/profile", {"name": "theirs", "rate-limit": "3M/4M 8M/8M 1M/1M 5/5 8"})
        self.add("/ppp/secret", {"name": "theirs", "password": "x", "profile": "theirs", "comment": "Mr Otieno"})
        self.add("/ppp/secret", {"name": "isp", "password": "x", "profile": "default", "disabled": "true"})
        self.add("/interface", {"name": "ether1", "type": "ether", "rx-byte": "5", "tx-byte": "7"})
        self.dial("theirs", "x", "02:00:00:00:00:99")
        router = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                Conversation(router, self.request).listen()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads = True, True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    # --- rows ---------------------------------------------------------------------------------------------------

    def add(self, path: str, row: Row) -> str:
        names = self.habits.unknown & set(row)
        if names:
            raise Trapped(f"unknown parameter {min(names)}")
        if path.startswith("/ppp/") and any(one["name"] == row.get("name") for one in self._named(path, row)):
            raise Trapped(self.habits.duplicate)
        self._count += 1
        row_id = self.habits.id_form.format(n=self._count)
        self.tables[path][row_id] = {".id": row_id, **row}
        self._index(path, row.get("name", ""), row_id)
        return row_id

    def change(self, path: str, row_id: str, values: Row) -> None:
        if self.habits.unknown & set(values):
            raise Trapped(f"unknown parameter {min(self.habits.unknown & set(values))}")
        row = self.tables[path][row_id]
        taken = [one for one in self._named(path, values) if one is not row]
        if path.startswith("/ppp/") and taken:
            raise Trapped(self.habits.duplicate)
        self.names.get(path, {}).pop(row.get("name", ""), None)
        row.update(values)
        self._index(path, row.get("name", ""), row_id)

    def remove(self, path: str, row_id: str) -> None:
        row = self.tables[path].pop(row_id)
        if path == "/ppp/active":
            self.tables["/interface"].pop(row["interface"], None)
            self.redial(row["name"])
        else:
            self.names.get(path, {}).pop(row.get("name", ""), None)

    def _index(self, path: str, name: str, row_id: str) -> None:
        if path.startswith("/ppp/") and path != "/ppp/active":
            self.names.setdefault(path, {})[name] = row_id

    def _named(self, path: str, row: Row) -> list[Row]:
        if path == "/ppp/active":
            return []
        found = self.names.setdefault(path, {}).get(row.get("name", ""))
        return [self.tables[path][found]] if found else []

    @property
    def names(self) -> dict[str, dict[str, str]]:
        return self.__dict__.setdefault("_names", {})

    # --- who dials in -------------------------------------------------------------------------------------------

    def dial(self, name: str, password: str, mac: str, **_: Any) -> None:
        """A subscriber's box, which dials now and whenever its session was ended."""
        with self.lock:
            self.boxes[name] = {"password": password, "mac": mac}
            self.redial(name)

    def redial(self, name: str) -> None:
        box, secrets = self.boxes.get(name), self._named("/ppp/secret", {"name": name})
        if box is None or not secrets:
            return
        secret = secrets[0]
        if secret.get("disabled") in ("yes", "true") or secret.get("password") != box["password"]:
            self.refusals[name] = self.refusals.get(name, 0) + 1
            return
        interface = self.add("/interface", {"name": f"<pppoe-{name}>", "type": "pppoe-in", "rx-byte": "1000",
                                            "tx-byte": "9000"})  # fmt: skip
        active = self.add(
            "/ppp/active",
            {"name": name, "caller-id": box["mac"], "address": f"10.1.{self._count >> 8 & 255}.{self._count & 255}",
             "uptime": "00:00:07", "session-id": f"0x{self._count:08X}"},
        )  # fmt: skip
        self.tables["/ppp/active"][active] |= {"interface": interface, "profile": secret.get("profile", "default")}

    def online(self) -> list[dict[str, Any]]:
        with self.lock:
            rows = list(self.tables["/ppp/active"].values())
            return [
                {"name": row["name"], "profile": row["profile"], "address_lists": self._lists(row["profile"])}
                for row in rows
                if row["name"] != "theirs"
            ]

    def refused(self, name: str) -> int:
        return self.refusals.get(name, 0)

    def hang_up_all(self) -> None:
        """Everybody whose box was put there by a test goes."""
        with self.lock:
            self.boxes = {name: box for name, box in self.boxes.items() if name == "theirs"}
            for row_id, row in list(self.tables["/ppp/active"].items()):
                if row["name"] != "theirs":
                    self.remove("/ppp/active", row_id)

    def let_pass(self, seconds: float) -> None:
        """Counters run: a subscriber takes a megabyte a second and gives a tenth of it."""
        with self.lock:
            for row in self.tables["/interface"].values():
                if row["type"] == "pppoe-in":
                    row["rx-byte"] = str(int(row["rx-byte"]) + int(seconds * 100_000))
                    row["tx-byte"] = str(int(row["tx-byte"]) + int(seconds * 1_000_000))

    def _lists(self, profile: str) -> list[str]:
        found = self._named("/ppp/profile", {"name": profile})
        return [one["address-list"] for one in found if one.get("address-list")]


class Conversation:
    """One connection, obeyed one command after the other."""

    def __init__(self, router: OtherRouter, sock: socket.socket) -> None:
        self.router, self.habits, self.socket = router, router.habits, sock
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.challenge = b""
        self.is_in = False

    def listen(self) -> None:
        stream = Sentences()
        try:
            while data := self.socket.recv(65_536):
                for words in stream.feed(data):
                    if not self.obey(words):
                        return
        except OSError:
            return

    def obey(self, words: Sentence) -> bool:
        tags = [word for word in words if word.startswith(".tag=")]
        echoed = tags if self.habits.echoes_tags else []
        given = dict(word[1:].split("=", 1) for word in words[1:] if word.startswith("="))
        try:
            if tags and not self.habits.takes_tags:
                raise Trapped("bad word .tag")
            if words[0] == "/login":
                return self.log_in(given, echoed)
            if not self.is_in:
                return False
            with self.router.lock:
                rows, ret = self.carry_out(words[0], given, [word for word in words if word.startswith("?")])
        except Trapped as trap:
            echoed = echoed if self.habits.tags_refusals else []
            self.say([["!trap", f"=message={trap}", *echoed], *([["!done", *echoed]] * self.habits.ends_after_trap)])
            return True
        is_empty = self.habits.says_empty and words[0].endswith("/print") and not rows
        end = [f"=ret={ret}"] if ret or self.habits.ret_always else []
        told = [["!re", *(f"={name}={value}" for name, value in row.items()), *echoed] for row in rows]
        self.say([*told, *([["!empty", *echoed]] * is_empty), ["!done", *end, *echoed]])
        return True

    def say(self, sentences: list[Sentence]) -> None:
        data = b"".join(sentence(words) for words in sentences)
        size = self.habits.piece if len(data) < 20_000 else 0
        for start in range(0, len(data), size or len(data)):
            self.socket.sendall(data[start : start + (size or len(data))])

    def log_in(self, given: Row, echoed: Sentence) -> bool:
        router = self.router
        if self.habits.login == "old" and "response" not in given:
            self.challenge = bytes(range(16))
            self.say([["!done", f"=ret={self.challenge.hex()}", *echoed]])
            return True
        digest = hashlib.md5(b"\0" + router.password.encode() + self.challenge, usedforsecurity=False).hexdigest()
        proof = (given.get("response"), f"00{digest}") if self.challenge else (given.get("password"), router.password)
        if given.get("name") == router.user and proof[0] == proof[1]:
            self.is_in = True
            self.say([["!done", *(["=ret="] * self.habits.ret_always), *echoed]])
            return True
        if self.habits.bad_login == "trap":
            raise Trapped(self.habits.bad_login_text)
        if self.habits.bad_login == "fatal":
            self.say([["!fatal", self.habits.bad_login_text]])
        return False

    def carry_out(self, command: str, given: Row, queries: list[str]) -> tuple[list[Row], str]:
        path, _, verb = command.rpartition("/")
        menus = self.habits.menus
        optional = next((one for one in ("/interface", "/system/identity", "/ip/firewall") if path.startswith(one)), "")
        if path not in self.router.tables or (optional and optional not in menus):
            raise Trapped("no such command prefix")
        if verb == "print":
            return list(self.print(path, given, queries)), ""
        if verb == "add":
            before = given.pop("place-before", None)
            row_id = self.router.add(path, given)
            if before:
                self.move(path, row_id, before)
            return [], row_id
        ids = self.ids(path, given)
        for row_id in ids:
            if verb == "remove":
                self.router.remove(path, row_id)
            elif verb == "move":
                self.move(path, row_id, given["destination"])
            elif verb == "set":
                self.router.change(path, row_id, given)
            else:
                raise Trapped("no such command")
        return [], ""

    def ids(self, path: str, given: Row) -> list[str]:
        named = [given.pop(word) for word in self.habits.names_rows_by if word in given]
        if ".id" in given:
            raise Trapped("unknown parameter .id")
        listed = named[0].split(",") if named else []
        if len(listed) > 1 and self.habits.lists == "refused":
            raise Trapped("invalid internal item number")
        if self.habits.lists == "first":
            listed = listed[:1]
        if not listed or any(one not in self.router.tables[path] for one in listed):
            raise Trapped("no such item")
        return listed

    def move(self, path: str, row_id: str, before: str) -> None:
        table = self.router.tables[path]
        row = table.pop(row_id)
        order = list(table.items())
        at = next((number for number, (one, _) in enumerate(order) if one == before), len(order))
        table.clear()
        table.update([*order[:at], (row_id, row), *order[at:]])

    def print(self, path: str, given: Row, queries: list[str]) -> Iterator[Row]:
        if queries and self.habits.queries == "refused":
            raise Trapped("queries are not supported")
        if ".proplist" in given and self.habits.proplist == "refused":
            raise Trapped("unknown parameter .proplist")
        for row in list(self.router.tables[path].values()):
            shown = {name: self.shown(name, value) for name, value in row.items()}
            if "/secret" in path:
                shown = {"disabled": self.habits.booleans[0], **shown}
                if not self.habits.shows_passwords:
                    shown.pop("password", None)
            wanted = [query[1:].split("=", 1) for query in queries if "=" in query]
            if self.habits.queries == "obeyed" and any(row.get(name) != value for name, value in wanted):
                continue
            if ".proplist" in given and self.habits.proplist == "obeyed":
                shown = {name: shown[name] for name in given[".proplist"].split(",") if name in shown}
            yield {name: value for name, value in shown.items() if name != "disabled" or value}

    def shown(self, name: str, value: str) -> str:
        if name == "disabled":
            return self.habits.booleans[value in ("yes", "true")]
        if name == "rate-limit" and self.habits.rates != "given" and " " not in value:
            return "/".join(self._rate(one) for one in value.split("/"))
        return value

    def _rate(self, text: str) -> str:
        match = re.fullmatch(r"(\d+)([kM]?)", text)
        if match is None:
            return text
        bits = int(match[1]) * {"": 1, "k": 1_000, "M": 1_000_000}[match[2]]
        if self.habits.rates == "bits":
            return str(bits)
        return f"{bits // 1_000_000}M" if bits % 1_000_000 == 0 else f"{bits // 1000}k"
