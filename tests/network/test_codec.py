"""The wire format: what goes in comes out, and garbage ends in the codec's own error or in waiting."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from network.drivers.mikrotik import words
from network.drivers.mikrotik.codec import (
    CodecError,
    Decoder,
    attributes,
    decode_length,
    encode_length,
    encode_sentence,
)

texts = st.text(min_size=1, max_size=300).filter(lambda text: text.encode("utf-8", "replace").decode() == text)
sentences = st.lists(texts, min_size=1, max_size=12)


@given(
    st.one_of(st.integers(0, 0xFFFFFFFF), st.sampled_from([0x7F, 0x80, 0x3FFF, 0x4000, 0x1FFFFF, 0x200000, 0xFFFFFFF]))
)
def test_a_length_comes_back(length: int) -> None:
    data = encode_length(length)
    assert decode_length(data, 0) == (length, len(data))


@pytest.mark.parametrize(
    ("length", "size"), [(0, 1), (0x7F, 1), (0x80, 2), (0x3FFF, 2), (0x4000, 3), (0x200000, 4), (0x10000000, 5)]
)
def test_a_length_takes_its_shortest_form(length: int, size: int) -> None:
    assert len(encode_length(length)) == size


def test_a_word_longer_than_32_bits_is_refused() -> None:
    with pytest.raises(CodecError):
        encode_length(0x1_0000_0000)


@given(st.lists(sentences, min_size=1, max_size=5), st.data())
def test_sentences_come_back_however_the_stream_is_cut(given_sentences: list[list[str]], data: st.DataObject) -> None:
    stream = b"".join(encode_sentence(sentence) for sentence in given_sentences)
    decoder, found, at = Decoder(), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, len(stream) - at))
        found += list(decoder.feed(stream[at : at + size]))
        at += size
    assert found == given_sentences


@given(st.binary(max_size=400))
def test_garbage_ends_in_the_codecs_own_error_or_in_waiting(noise: bytes) -> None:
    with suppress(CodecError):
        for sentence in Decoder().feed(noise):
            assert sentence


@pytest.mark.parametrize("first", range(0xF8, 0x100))
def test_reserved_bytes_are_refused(first: int) -> None:
    with pytest.raises(CodecError):
        list(Decoder().feed(bytes([first])))


def test_empty_sentences_are_left_out() -> None:
    assert list(Decoder().feed(b"\0\0" + encode_sentence(["!done"]) + b"\0")) == [["!done"]]


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    assert list(Decoder().feed(b"\x02\xff\xfe\0")) == [["\ufffd\ufffd"]]


def test_a_value_may_contain_equals_signs() -> None:
    assert attributes(["=password=a=b=", ".tag=1"]) == {"password": "a=b="}


@given(st.integers(1, 10_000_000), st.integers(1, 10_000_000))
def test_rates_come_back_the_right_way_round(download: int, upload: int) -> None:
    assert words.rates(words.rate_limit(download, upload)) == (download, upload)


def test_the_clients_upload_stands_first() -> None:
    assert words.rate_limit(10_000, 5_000) == "5000k/10000k"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("5M/10M", (10_000, 5_000)), ("512k", (512, 512)), ("", (None, None)), ("0/0", (None, None)),
     ("5000000/10000000", (10_000, 5_000)), ("5M/10M 0/0 0/0 0/0 8 0/0", (10_000, 5_000)),
     ("1.5M/5000kbps", (5_000, 1_500)), ("2M/4M 4M/8M", (-1, -1)), ("5M/10M 0/0 0/0 0/0 1", (-1, -1)),
     ("5M/10M 0/0 0/0 0/0 8 1M/1M", (-1, -1)), ("nonsense", (-1, -1)), (" ", (None, None))],
)  # fmt: skip
def test_rates_as_routers_print_them(text: str, wanted: tuple[int | None, int | None]) -> None:
    assert words.rates(text) == wanted


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1w2d3h4m5s", 788_645), ("0s", 0), ("3h12m8s", 11_528), ("00:00:05.120", 5), ("2d 01:00:00", 176_400), ("", 0)],
)
def test_durations_as_routers_print_them(text: str, seconds: int) -> None:
    assert words.seconds(text) == seconds
