"""The way into an auction for people in the room: addresses that their phones can reach, links, QR codes."""

import contextlib
import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import segno
from flask import Flask, current_app, request

from callbacks.settings import Settings

_EXTENSION = "headroom-listening"
_ANY = ("0.0.0.0", "::")  # noqa: S104 (compared, not bound)
# A UDP socket that is "connected" to one of these sends nothing; it only learns which of our addresses would be used.
_PROBES = ("192.0.2.1", "10.255.255.254", "172.31.255.254", "192.168.255.254")
JOIN_PATH = "/auction/join"


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the server listens, and the host names that it answers to (none: any)."""

    host: str
    port: int
    allowed: tuple[str, ...] = ()
    secure: bool = False  # told to be behind https


@dataclass(frozen=True, slots=True)
class Way:
    """One address under which the server can be reached."""

    origin: str  # "http://192.168.1.20:8050"
    words: str


@dataclass(frozen=True, slots=True)
class Ways:
    """The addresses for phones, best first, and what stands in their way ("" for nothing)."""

    listed: tuple[Way, ...]
    warning: str = ""


def install(server: Flask, settings: Settings) -> None:
    """Tell the pages where the server listens."""
    server.extensions[_EXTENSION] = Listening(
        settings.host, settings.port, settings.allowed_hosts, settings.cookie_secure
    )


def ways_here() -> Ways:
    """Return the ways into this server for whoever is on its network, as the running request sees them."""
    listening = current_app.extensions.get(_EXTENSION) or Listening("127.0.0.1", 8050)
    return ways(listening, request.host_url, own_addresses())


def ways(listening: Listening, asked: str, addresses: Iterable[str]) -> Ways:
    """Return the ways in: ``asked`` is the address that the host's own browser used, ``addresses`` this machine's."""
    found: list[Way] = []
    used = urlsplit(asked)
    if used.hostname and not _is_loopback(used.hostname):
        found.append(Way(f"{used.scheme}://{used.netloc}", "the address that you use yourself"))
    if _is_loopback(listening.host):
        warning = (
            "The server listens on this machine only, so no phone can reach it. Start it again with HOST=0.0.0.0, in a "
            "network that you trust."
        )
        return Ways(tuple(found), "" if found else warning)
    reachable = list(addresses) if listening.host in _ANY else [listening.host]
    refused = [address for address in reachable if not _allowed(address, listening.allowed)]
    for address in reachable:
        origin = f"http://{f'[{address}]' if ':' in address else address}:{listening.port}"
        if address not in refused and not _is_loopback(address) and origin not in {way.origin for way in found}:
            found.append(Way(origin, "this machine's address in its network"))
    if found:
        return Ways(tuple(found))
    if refused:
        names = ", ".join(listening.allowed)
        return Ways(
            (), f"ALLOWED_HOSTS permits {names} only, none of which is an address of this machine: {refused[0]}"
        )
    return Ways((), "This machine has no address in a network: connect it to the one that the phones use.")


def join_link(origin: str, code: str) -> str:
    """Return the link that lets somebody ask for a seat."""
    return f"{origin}{JOIN_PATH}?{urlencode({'code': code})}"


def qr_rows(text: str) -> list[str]:
    """Return a QR code as rows of "0" and "1", without its quiet border."""
    return ["".join("1" if dark else "0" for dark in row) for row in segno.make(text, error="m", micro=False).matrix]


def invitation(code: str) -> dict[str, Any]:
    """Return what a screen shows of the way in: code, links with their QR codes, warning."""
    found = ways_here()
    links = [
        {"address": join_link(way.origin, code), "words": way.words, "qr": qr_rows(join_link(way.origin, code))}
        for way in found.listed
    ]
    return {"code": code, "links": links, "warning": found.warning}


def own_addresses() -> list[str]:
    """Return this machine's addresses in its networks, those on a way out first; never a loopback one."""
    found: list[str] = []
    for probe in _PROBES:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as looking:
            try:
                looking.connect((probe, 9))
            except OSError:  # no way there
                continue
            found.append(str(looking.getsockname()[0]))
    with contextlib.suppress(OSError):  # the machine's own name may not be known to it
        found += [str(entry[4][0]) for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    return [address for address in dict.fromkeys(found) if not _is_loopback(address) and address != "0.0.0.0"]  # noqa: S104


def _is_loopback(host: str | None) -> bool:
    try:
        return ipaddress.ip_address((host or "").strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _allowed(address: str, names: tuple[str, ...]) -> bool:
    return not names or address in names or f"[{address}]" in names
