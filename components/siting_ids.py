"""Ids of the Siting page: ``siting-<thing>``."""

from typing import Any

STUDY = "siting-study"  # Store: the study this page was opened for
FOUND = "siting-found"  # Store: the question whose gate (whole or in part) and market the page has, by key
ANSWERED = "siting-answered"  # Store: what is drawn: {"gate", "market", "envelope", "size", "threshold", ...}
JOB = "siting-job"  # Store: ids of the jobs that the page waits for
JOB_ENDED = "siting-job-ended"  # Store: written in the browser when one of them ends or has come further
COMPUTE = "siting-compute"
STATE = "siting-state"  # the strip between the question and the answer
FRAME = "siting-frame"  # around the answer: hatched while it is stale
QUERY = "siting-query"  # Store: the question as a query string
ADDRESS = "siting-address"  # Store: the whole query string in the address bar
AS_THE_SOURCE = "siting-as-the-source"
UPLOAD = "siting-upload"
TAB = "siting-tab"  # which table the drawer shows
TABLES = "siting-tables"
PRICES = "siting-prices"  # what a site does to prices: its Store -shown; the table is the grid "prices"
WHY_ROW = "siting-why-row"  # the card of a number in a row; its Stores: -asked
ENVELOPE = "siting-envelope"  # which envelope is drawn
SIZE = "siting-size"  # which nameplate is drawn
TOP = "siting-top"  # how many sites the shortlist holds
SCALING = "siting-scaling"  # whether envelopes are scaled together
OVERVIEW = "siting-overview"  # in the inspector, while no bus is selected
SHEET = "siting-sheet"  # in the inspector: the sheet of the selected bus
SIZES_CHART = "siting-sizes-chart"  # how many sites qualify against size
MARKET = "siting-market"  # the panel of the market's job
MARKET_RUN = "siting-market-run"
MARKET_WEEK = "siting-market-week"
MARKET_NOISE = "siting-market-noise"
COMPARE = "siting-compare"  # who enters and who leaves between two envelopes
ZONES = "siting-zones"
PATHWAYS = "siting-pathways"  # the two pathways to power
CATALOGUE = "siting-catalogue"  # in the drawer
STUDIES = "siting-studies"  # in the drawer
AGREEMENT = "siting-agreement"  # in the drawer


def word(name: str) -> str:
    """Return the id of a control of the siting question."""
    return f"siting-word-{name}"


def criterion(part: str, name: Any) -> dict[str, Any]:
    """Return the id of a part ("use", "limit", ...) of a reader's own criterion, by its column."""
    return {"type": f"siting-criterion-{part}", "name": name}


def own_group(name: Any) -> dict[str, Any]:
    """Return the id of the weight of a reader's own group of criteria."""
    return {"type": "siting-own-group", "name": name}


def weight(place: int) -> str:
    """Return the id of the weight of a group of criteria, by its place."""
    return f"siting-weight-{place}"


def seen(tab: str) -> str:
    """Return the id of the Store with what is drawn, written while the tab shows."""
    return f"siting-seen-{tab}"


def years(pathway: str, end: str) -> str:
    """Return the id of an end, "least" or "most", of a pathway's years."""
    return f"siting-years-{pathway}-{end}"


# The sheet of a site and what follows from a study
SITE = "siting-site"  # in the sheet: what is told of the selected bus
OUTAGE = "siting-outage"  # Store: {"k", "hour", "at"}, the outage whose reason is asked for
OUTAGE_TOLD = "siting-outage-told"
AC = "siting-ac"  # the panel of the AC power flows; its Stores: -job, -ended, -seen
AC_RUN = "siting-ac-run"
TERMS = "siting-terms"  # the draft agreement in words
TERMS_HELD = "siting-terms-held"  # Store: the agreement as JSON
TERMS_KEEP = "siting-terms-keep"
TERMS_FILE = "siting-terms-file"  # download
LADDER = "siting-ladder"
METER = "siting-meter"  # upload: a CSV of metered MW
METER_TRY = "siting-meter-try"
AUDIT = "siting-audit"
SIGNED = "siting-signed"  # Store: {"name", "agreement"} of a signed agreement that was read, None for none
SIGNED_FILE = "siting-signed-file"  # upload: its JSON
SIGNED_DROP = "siting-signed-drop"
SIGNED_SHOWN = "siting-signed-shown"
ENTRIES = "siting-entries"  # what the Catalogue tab tells
STANDING = "siting-standing"  # which entries its table shows
KEEP = "siting-keep"  # the files of the catalogue
KEEP_FILE = "siting-keep-file"  # download
KEEP_SAID = "siting-keep-said"  # why a file is not there
REFRESH = "siting-refresh"  # the timeline of versions; its Stores: -job, -ended, -seen, -held
REFRESH_RUN = "siting-refresh-run"
STUDY_PANEL = "siting-study-panel"  # what the pressed study found; its Stores: -job, -ended, -seen
STUDY_ASKED = "siting-study-asked"  # Store: {"value", "at"} of the study that was pressed
CLEARING = "siting-clearing"  # awards; its Stores: -job, -ended, -seen
CLEARING_RUN = "siting-clearing-run"
AUCTION = "siting-auction"  # which sites can be sold together; its Stores: -job, -ended, -seen
AUCTION_TRY = "siting-auction-try"
AUCTION_SELL = "siting-auction-sell"
APPLICANTS = "siting-applicants"  # the applications, as CSV text
PROFILES = "siting-profiles"  # in the panel of envelopes: each profile, as asked and as mended
CRITERIA = "siting-criteria"  # the panel of a reader's own criteria; -table, -groups, -message
CRITERIA_UPLOAD = "siting-criteria-upload"


def term(name: object) -> dict[str, object]:
    """Return the id of the control of a term of the agreement: ``"tolerance_mw"``."""
    return {"type": "siting-term", "name": name}


def sale(name: object) -> dict[str, object]:
    """Return the id of the control of a term of sale: ``"count"``."""
    return {"type": "siting-sale", "name": name}


def rule(name: object) -> dict[str, object]:
    """Return the id of the control of a rule of the clearing: ``"tranche_mw"``."""
    return {"type": "siting-rule", "name": name}


def study_time(name: str) -> str:
    """Return the id of how long a study takes, in its button: ``"depth"``."""
    return f"siting-study-time-{name}"
