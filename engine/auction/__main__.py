"""Check the ledger of an auction, and make its result files from it.

    python -m engine.auction verify FILE [--public-key FILE]
    python -m engine.auction replay FILE [--public-key FILE] [--out DIR]

``verify`` checks the chain of hashes and the signature. ``replay`` besides applies every event again by the rules,
works out the tie numbers from the seed, and writes the result files; a file that is there already must be the same.
"""

import argparse
import sys
from pathlib import Path

from engine.auction.ledger import Entry, replay, verify
from engine.auction.results import result_files, state_digest
from engine.auction.signing import Signature, check_signature, read_file, read_public_key
from engine.errors import EngineError, LedgerError


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit code: 0 if everything is right, 1 with the reason if not."""
    parser = argparse.ArgumentParser(
        prog="python -m engine.auction", description="Check and replay an auction's ledger."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, words in (
        ("verify", "check hashes and signature"),
        ("replay", "check, apply every event, write results"),
    ):
        command = commands.add_parser(name, help=words)
        command.add_argument("file", type=Path, help="the ledger, JSON lines")
        command.add_argument("--public-key", type=Path, help="PEM file of the key that must have signed it")
        if name == "replay":
            command.add_argument("--out", type=Path, help="folder for the result files")
    options = parser.parse_args(arguments)
    try:
        entries, signature = read_file(options.file.read_bytes())
        if not entries:
            raise LedgerError("the file has no entry: there is nothing to check")
        verify(entries)
        _say(f"{len(entries)} entries, every hash is right; the last is {entries[-1].hash}")
        _say(_signed(entries, signature, options.public_key))
        if options.command == "replay":
            _replay(entries, options.out)
    except (EngineError, OSError) as error:
        print(f"{options.file}: {error}", file=sys.stderr)  # noqa: T201 (a command speaks to its terminal)
        return 1
    return 0


def _say(line: str) -> None:
    print(line)  # noqa: T201 (a command speaks to its terminal)


def _signed(entries: tuple[Entry, ...], signature: Signature | None, public_key: Path | None) -> str:
    trusted = None if public_key is None else read_public_key(public_key)
    if signature is None:
        if trusted is not None:
            raise LedgerError("the ledger is not signed")
        return "not signed: the auction had not ended, or nobody signed it"
    check_signature(entries, signature, trusted)
    whose = (
        "the public key given" if trusted else "the key it names; --public-key FILE tells whether it is the right one"
    )
    return f"signed by {signature.public_key}, {whose}"


def _replay(entries: tuple[Entry, ...], folder: Path | None) -> None:
    state = replay(entries)
    ended = f": {state.ended_because}" if state.ended_because else ""
    _say(f"{len(state.rounds)} rounds; the auction is {state.phase}{ended}")
    _say(f"state {state_digest(state)}")
    if folder is None:
        return
    files = result_files(entries, state)
    folder.mkdir(parents=True, exist_ok=True)
    other = [name for name, data in files.items() if (folder / name).exists() and (folder / name).read_bytes() != data]
    if other:
        raise LedgerError(f"{folder} holds other results than the ledger's: {', '.join(sorted(other))}")
    for name, data in files.items():
        (folder / name).write_bytes(data)
    _say(f"{', '.join(files)} written to {folder}")


if __name__ == "__main__":
    sys.exit(main())
