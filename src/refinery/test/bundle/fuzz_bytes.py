"""Mutations of bytes, whatever they mean: what bad disks, half copies and careless editors do."""

from __future__ import annotations

from random import Random

TOKENS = (
    *(b"NaN", b"-Infinity", b"1e999", b"1e-999", b"-0.0", b"1" * 4300, b"1" * 4301, b"0x10", b"1_000", b"01"),
    *(
        b'"\\ud800"',
        b'"\\u0000"',
        b'"\\',
        b"\\u12",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\x00",
    ),
    *(b"[" * 500, b"]" * 500, b'{"a":' * 300, b"{}", b"[]", b"null", b"true", b",", b",,", b"//", b"'"),
    *(b"\x80\x04\x95", b"cos\nsystem\n", b"ORTM", b"PK\x03\x04", b"\x7fELF", b"\r\n", b" " * 1000),
)
"""Sequences that parsers trip over; the third row is the beginning of a pickle, one that runs a program, and others."""


def mutate_bytes(content: bytes, rng: Random) -> bytes:
    """Return the content after one mutation."""
    return rng.choice(_ALL)(content, rng)


def _at(content: bytes, rng: Random) -> int:
    return rng.randint(0, len(content))


def _flip_bits(content: bytes, rng: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8, 64)) if content else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _set_bytes(content: bytes, rng: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 4)) if content else 0):
        changed[rng.randrange(len(changed))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    return bytes(changed)


def _truncate(content: bytes, rng: Random) -> bytes:
    return content[: _at(content, rng)] if rng.random() < 0.8 else content[_at(content, rng) :]


def _cut_out(content: bytes, rng: Random) -> bytes:
    at = _at(content, rng)
    return content[:at] + content[at + rng.choice((1, 2, 8, 100)) :]


def _duplicate(content: bytes, rng: Random) -> bytes:
    start = _at(content, rng)
    piece = content[start : start + rng.choice((1, 4, 32, 256, 4096))]
    return content[:start] + piece * rng.choice((2, 2, 3, 50)) + content[start + len(piece) :]


def _splice(content: bytes, rng: Random) -> bytes:
    start, at = _at(content, rng), _at(content, rng)
    piece = content[start : start + rng.choice((1, 8, 64, 512))]
    return content[:at] + piece + content[at + (len(piece) if rng.random() < 0.5 else 0) :]


def _insert(content: bytes, rng: Random) -> bytes:
    at = _at(content, rng)
    token = rng.choice(TOKENS) if rng.random() < 0.8 else rng.randbytes(rng.choice((1, 4, 64)))
    return content[:at] + token + content[at + (len(token) if rng.random() < 0.3 else 0) :]


def _append(content: bytes, rng: Random) -> bytes:
    return content + rng.choice((b"\n", b" ", b"\x00", content, rng.randbytes(16)))


def _nothing(_content: bytes, rng: Random) -> bytes:
    return rng.choice((b"", b"\x00", b"\n", b"{}", rng.randbytes(rng.choice((1, 100, 10_000)))))


_ALL = (
    *(_flip_bits, _flip_bits, _set_bytes, _truncate, _cut_out, _duplicate),
    *(_splice, _insert, _insert, _append, _nothing),
)
