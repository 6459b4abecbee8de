"""Everything that may be set from outside, read once from the environment into one frozen object."""

import ipaddress
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from engine.compute import workers_of
from engine.errors import QuestionError

_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_SHORTEST_SECRET = 32  # characters; a shorter signing key can be guessed
_BINARY = 1024 * 1024

DATA_FOLDER = Path(__file__).resolve().parents[1] / "var"


class SettingsError(Exception):
    """Some settings cannot be used; the message names every one of them, its value and what it may be."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one running product. The README's table explains each of them to its reader."""

    home: Path  # the product's own folder: database, secret key, cached artefacts
    database_url: str = field(repr=False)  # may hold a password
    secret_key: str = field(repr=False)  # one key for all workers
    host: str = "127.0.0.1"
    port: int = 8050
    web_workers: int = 2
    threads: int = 8  # per web worker
    job_workers: int = 2
    compute: str = "here"  # who computes the parts of one long computation, see engine.compute.workers_of
    max_upload_mb: int = 50
    artefact_cache_mb: int = 2048
    log_level: str = "INFO"
    allowed_hosts: tuple[str, ...] = ()  # host names answered to; empty: any
    forwarded_allow: tuple[str, ...] = ()  # proxies whose X-Forwarded headers are believed
    cookie_secure: bool = False
    data: Path | None = None  # reference data that the product does not ship; only read

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Return the settings that ``environ`` asks for, defaults for what it does not name.

        Makes the data folder and, when no ``SECRET_KEY`` is given, a key file in it that only its owner
        can read. Raises SettingsError naming every bad value, and every unknown ``HEADROOM_`` name.
        """
        reader = _Reader(environ)
        home = Path(environ.get("HEADROOM_HOME") or DATA_FOLDER).expanduser().absolute()
        host = reader.take("HOST", "127.0.0.1", _host)
        cores = os.cpu_count() or 1
        values: dict[str, Any] = {
            "host": host,
            "port": reader.take("PORT", "8050", _whole(1, 65535)),
            "database_url": reader.take("DATABASE_URL", f"sqlite:///{home / 'headroom.sqlite'}", _database_url),
            "web_workers": reader.take("WEB_WORKERS", str(min(2, cores)), _whole(1, 64)),
            "threads": reader.take("THREADS", "8", _whole(1, 128)),
            "job_workers": reader.take("JOB_WORKERS", str(min(2, cores)), _whole(1, 64)),
            "compute": reader.take("COMPUTE", f"processes:{cores}" if cores > 1 else "here", _workers),
            "max_upload_mb": reader.take("MAX_UPLOAD_MB", "50", _whole(1, 2048)),
            "artefact_cache_mb": reader.take("ARTEFACT_CACHE_MB", "2048", _whole(64, 1024 * 1024)),
            "log_level": reader.take("LOG_LEVEL", "INFO", _log_level),
            "allowed_hosts": reader.take("ALLOWED_HOSTS", "", _names),
            "forwarded_allow": reader.take("FORWARDED_ALLOW", "", _addresses),
            "cookie_secure": reader.take("COOKIE_SECURE", "no", _flag),
        }
        given = environ.get("SECRET_KEY", "")
        if given and len(given) < _SHORTEST_SECRET:
            reader.problems.append(f"SECRET_KEY has {len(given)} characters; it needs {_SHORTEST_SECRET} or more")
        reader.refuse_unknown()
        if reader.problems:
            raise SettingsError(reader.problems)
        # A page of another site that has its name pointed at this machine must not be able to talk to us.
        if not values["allowed_hosts"] and _is_loopback(host):
            values["allowed_hosts"] = _LOOPBACK_NAMES
        _make_folder(home)
        values["data"] = _folder(environ.get("HEADROOM_DATA", ""))
        return cls(home=home, secret_key=given or _kept_secret(home / "secret_key"), **values)

    @property
    def max_request_bytes(self) -> int:
        """Return the size of the largest request: an upload arrives as base64 inside JSON, a third larger."""
        return self.max_upload_mb * _BINARY * 4 // 3 + _BINARY

    @property
    def address(self) -> str:
        """Return the address to open in a browser on this machine."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 (compared, not bound)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


_SECRET = {"DATABASE_URL"}  # may hold a password: not repeated in a message
_KNOWN = {"HEADROOM_HOME", "HEADROOM_DATA", "HEADROOM_CHROMIUM"}


class _Reader:
    """Takes one variable after the other and keeps what is wrong with each."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []

    def take(self, name: str, default: str, parse: Callable[[str], Any]) -> Any:
        text = self.environ.get(name, "").strip() or default
        try:
            return parse(text)
        except ValueError as error:
            found = "set" if name in _SECRET else repr(text)
            self.problems.append(f"{name} is {found}; {error}")
            return None

    def refuse_unknown(self) -> None:
        for name in sorted(self.environ):
            if name.startswith("HEADROOM_") and name not in _KNOWN:
                self.problems.append(f"{name} is not a setting; those with this prefix are {', '.join(sorted(_KNOWN))}")


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(f"it must be a whole number from {least} to {most}")
        return int(text)

    return parse


def _workers(text: str) -> str:
    try:
        workers_of(text)
    except QuestionError:
        raise ValueError(
            "it must be here, processes:4 or the address of a Dask scheduler, tcp://10.0.0.5:8786"
        ) from None
    return text


def _host(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", text):
            raise ValueError("it must be an address or a host name") from None
    return text


def _is_loopback(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


def _database_url(text: str) -> str:
    if not re.match(r"(sqlite|postgresql)(\+\w+)?://", text):
        raise ValueError("it must start with sqlite:/// or postgresql://")
    try:
        _ = urlsplit(text).port
    except ValueError:
        raise ValueError(
            "its port must be a number up to 65535; write @, : and / in a password as %40, %3A, %2F"
        ) from None
    return text


def _log_level(text: str) -> str:
    if text.upper() not in _LOG_LEVELS:
        raise ValueError(f"it must be one of {', '.join(_LOG_LEVELS)}")
    return text.upper()


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if not re.fullmatch(r"\.?[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]", name):
            raise ValueError(f"{name!r} is not a host name")
    return names


def _addresses(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name != "*":
            ipaddress.ip_network(name)  # its ValueError says what is wrong
    return names


def _flag(text: str) -> bool:
    words = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if text.lower() not in words:
        raise ValueError("it must be yes or no")
    return words[text.lower()]


def _folder(text: str) -> Path | None:
    return Path(text.strip()).expanduser().absolute() if text.strip() else None


def _make_folder(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError([f"HEADROOM_HOME is '{home}'; the folder cannot be made: {error.strerror}"]) from None
    if not os.access(home, os.W_OK | os.X_OK):
        raise SettingsError([f"HEADROOM_HOME is '{home}'; the folder cannot be written to"])


def _kept_secret(path: Path) -> str:
    """Return the key kept in ``path``, made on first use. Two processes that start together get the same one."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())  # else a power cut can leave the name without the key
        try:
            os.link(draft, path)  # all or nothing, and refused when the other process was first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    kept = path.read_text(encoding="ascii", errors="replace").strip()
    if len(kept) < _SHORTEST_SECRET:
        problem = f"the key in '{path}' has {len(kept)} characters; it needs {_SHORTEST_SECRET} or more"
        raise SettingsError([f"{problem}. Remove the file and a new one is made: readers then lose their studies"])
    return kept
