"""An auction's bids and rounds as files to take home, each made from the ledger when it is asked for."""

import io
import zipfile
from collections.abc import Callable, Iterable, Mapping

from engine.auction import fcc_files, fcc_xml, record_files
from engine.auction.events import Event
from engine.auction.records import Records, records_of
from engine.auction.rules import Configuration

_EPOCH = (1980, 1, 1, 0, 0, 0)  # equal content gives equal bytes


def zipped(files: Mapping[str, str]) -> bytes:
    """Return text files as one ZIP file; equal files give equal bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), text.encode(), zipfile.ZIP_DEFLATED)
    return target.getvalue()


_MADE: Mapping[str, Callable[[Records, Configuration], bytes]] = {
    "all_bids.xml": lambda records, configuration: fcc_xml.to_xml(records, configuration).encode(),
    "fcc_round_files.zip": lambda records, configuration: zipped(fcc_files.to_files(records, configuration)),
    "tables.zip": lambda records, _configuration: zipped(record_files.to_csv_files(records)),
    "tables.json": lambda records, _configuration: record_files.to_json(records).encode(),
}
NAMES = tuple(_MADE)  # every file tells who bid what, and none tells assigned values


def bundle(name: str, events: Iterable[Event], configuration: Configuration) -> bytes:
    """Return the file called ``name``, one of ``NAMES``, of an auction with these events."""
    return _MADE[name](records_of(events), configuration)
