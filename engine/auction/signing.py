"""Signed ledgers: the Ed25519 key of the server, the signature of a finished ledger, and the file of both.

The signature covers the number of entries and the hash of the last one, and so everything. The public key in a file
tells which key signed; whose key that is, only a public key from elsewhere can tell.
"""

import contextlib
import json
import os
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from engine.auction.ledger import Entry, canonical, from_content, to_line
from engine.errors import EngineError, LedgerError

KEY_FILE = "auction_signing_key.pem"  # in the server's own folder, never in the repository
PUBLIC_KEY_FILE = "auction_public_key.pem"  # to be given to everybody


@dataclass(frozen=True, slots=True)
class Signature:
    """What a signed ledger ends with."""

    entries: int
    hash: str  # of the last entry
    public_key: str  # 64 hexadecimal digits
    signature: str  # 128 hexadecimal digits


def signing_key(folder: Path) -> Ed25519PrivateKey:
    """Return the server's key from its folder; the first call makes it, readable by the server's user alone.

    The public key is written beside it. Raises EngineError where others could read the key, or it is no Ed25519 key.
    """
    path = folder / KEY_FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _make_key(folder, path)
    key = _read_key(path)
    if not (folder / PUBLIC_KEY_FILE).exists():
        (folder / PUBLIC_KEY_FILE).write_bytes(public_pem(key.public_key()))
    return key


def _make_key(folder: Path, path: Path) -> None:
    """Write a new key to ``path`` whole, unless another process was first."""
    content = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".signing-")  # mode 600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()


def _read_key(path: Path) -> Ed25519PrivateKey:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise EngineError(f"the signing key {path} can be read by others (mode {mode:03o}); it needs mode 600")
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except ValueError:
        raise EngineError(f"the signing key {path} cannot be read") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise EngineError(f"the signing key {path} is not an Ed25519 key")
    return key


def public_pem(key: Ed25519PublicKey) -> bytes:
    """Return a public key as a PEM file."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def public_hex(key: Ed25519PublicKey) -> str:
    """Return a public key as 64 hexadecimal digits."""
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()


def read_public_key(path: Path) -> str:
    """Return the public key in a PEM file as 64 hexadecimal digits."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (ValueError, OSError):
        raise EngineError(f"{path} holds no public key") from None
    if not isinstance(key, Ed25519PublicKey):
        raise EngineError(f"{path} holds no Ed25519 public key")
    return public_hex(key)


def _message(entries: int, last_hash: str) -> bytes:
    return canonical({"what": "auction ledger", "entries": entries, "hash": last_hash})


def sign(entries: Sequence[Entry], key: Ed25519PrivateKey) -> Signature:
    """Return the signature of a ledger that has come to its end."""
    if not entries:
        raise LedgerError("a ledger without entries is not signed")
    last = entries[-1]
    signature = key.sign(_message(last.number, last.hash)).hex()
    return Signature(last.number, last.hash, public_hex(key.public_key()), signature)


def check_signature(entries: Sequence[Entry], signature: Signature, trusted: str | None = None) -> None:
    """Raise LedgerError unless the signature is of these entries, and by the ``trusted`` public key where one is given.

    The chain itself is for :func:`engine.auction.ledger.verify`.
    """
    if trusted is not None and trusted != signature.public_key:
        raise LedgerError(f"signed by the key {signature.public_key[:16]}..., not by {trusted[:16]}...")
    if not entries or len(entries) != signature.entries or entries[-1].hash != signature.hash:
        words = (
            f"the signature is of {signature.entries} entries and the file has {len(entries)}, or the last was changed"
        )
        raise LedgerError(words, len(entries) or None)
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature.public_key))
        key.verify(bytes.fromhex(signature.signature), _message(signature.entries, signature.hash))
    except (InvalidSignature, ValueError):
        raise LedgerError("the signature is not one of this ledger by the key that it names") from None


def to_file(entries: Sequence[Entry], signature: Signature | None) -> bytes:
    """Return the file of a ledger: a line for each entry, and one for the signature if there is one."""
    lines = [to_line(entry) for entry in entries]
    if signature is not None:
        lines.append(_signature_line(signature))
    return "".join(line + "\n" for line in lines).encode()


def _signature_line(signature: Signature) -> str:
    content = {
        "signed_entries": signature.entries,
        "hash": signature.hash,
        "public_key": signature.public_key,
        "signature": signature.signature,
    }
    return json.dumps(content, separators=(",", ":"))


def read_file(data: bytes) -> tuple[tuple[Entry, ...], Signature | None]:
    """Return the entries in a file, and its signature if it has one. LedgerError names the line that is none."""
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError as error:
        place = data.count(b"\n", 0, error.start) + 1
        raise LedgerError(f"line {place} is not text in UTF-8", place) from None
    if lines and not lines[-1]:
        lines.pop()
    entries: list[Entry] = []
    for place, line in enumerate(lines, 1):
        try:
            content = json.loads(line, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise LedgerError(f"line {place} is not JSON", place) from None
        if isinstance(content, dict) and "signature" in content:
            if place != len(lines):
                raise LedgerError(f"line {place} is a signature, and lines follow it", place)
            signature = _read_signature(content, place)
            _same(_signature_line(signature), line, place)
            return tuple(entries), signature
        entries.append(from_content(content, place))
        _same(to_line(entries[-1]), line, place)
    return tuple(entries), None


def _same(written: str, line: str, place: int) -> None:
    """Refuse a line that says more than its entry, such as a name twice, of which other programs read the other one."""
    if written != line:
        raise LedgerError(f"line {place} is not written as a ledger writes it: something was added or changed", place)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _read_signature(content: dict[str, Any], place: int) -> Signature:
    texts = [content.get(name) for name in ("hash", "public_key", "signature")]
    if type(content.get("signed_entries")) is not int or not all(isinstance(text, str) for text in texts):
        raise LedgerError(f"line {place} is not a signature", place)
    return Signature(content["signed_entries"], content["hash"], content["public_key"], content["signature"])
