"""Paper is made in a process that reaches nothing and may not hang."""

from __future__ import annotations

import io
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from PIL import Image
from pypdf import PdfReader

from ispbilling.kernel.errors import Unavailable
from ispbilling.kernel.pdf import Asset, pdf


def picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (4, 4), "navy").save(written, "PNG")
    return written.getvalue()


def words(content: bytes) -> str:
    return str(PdfReader(io.BytesIO(content)).pages[0].extract_text())


def test_a_page_becomes_a_file() -> None:
    assert "Invoice 2026-000001" in words(pdf("<meta charset=utf-8><h1>Invoice 2026-000001</h1>"))


def test_what_is_handed_over_is_shown() -> None:
    page = PdfReader(io.BytesIO(pdf("<img src='asset:logo'>", assets={"logo": Asset(picture(), "image/png")}))).pages[0]
    assert len(page.images) == 1


def test_no_file_of_the_machine_is_read() -> None:
    page = "<style>@import 'file:///etc/passwd';</style><a rel=attachment href='file:///etc/passwd'>x</a>"
    made = PdfReader(io.BytesIO(pdf(f"<link rel=attachment href='file:///etc/passwd'>{page}")))
    assert not made.attachments


def test_no_address_is_called() -> None:
    called: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            called.append(self.path)
            self.send_error(404)

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        here = f"http://127.0.0.1:{server.server_port}"
        pdf(f"<link rel=stylesheet href='{here}/a.css'><img src='{here}/b.png'><p style='background:url({here}/c)'>")
    finally:
        server.shutdown()
    assert called == []


def test_what_takes_too_long_is_given_up() -> None:
    with pytest.raises(Unavailable) as refused:
        pdf("<p>slow</p>", time_limit_s=0.01)
    assert refused.value.code == "pdf.slow"
