"""Ids of the Auction pages: ``auction-<thing>``."""

# Host's side
PRESETS = "auction-presets"  # Store: what each preset puts into the controls of the rules
START = "auction-start"  # Store: the draft that the address asks for
OPENED = "auction-opened"  # Store: the draft that the form is drawn from: the one kept here, else the start
FORM = "auction-form"
DRAFT = "auction-draft"  # Store: what the form holds now, as typed
TITLE = "auction-title"
CURRENCY = "auction-currency"
PRESET = "auction-preset"
SEED = "auction-seed"
SOLD = "auction-sold"  # word: what is sold
SEATS = "auction-seats"  # word: how many bidders
SUMMARY = "auction-summary"  # the rules in words, and what is wrong
MAKE = "auction-make"
MADE = "auction-made"  # Store: id of the auction that was made from the draft
WORTH = "auction-worth"  # popover: values built from revenue, backup cost and hours
WORTH_RESULT = "auction-worth-result"  # Store: {"seats", "valuation", "at"} for the form
LIST = "auction-list"
EXAMPLE = "auction-example"  # the worked example's result


def rule(path: str) -> dict[str, str]:
    """Return the id of the control of a rule: ``"increment.kind"``."""
    return {"type": "auction-rule", "name": path}


def word(name: str) -> str:
    """Return the id of a word of the worked example's sentence."""
    return f"auction-word-{name}"


def worth(name: str) -> dict[str, str]:
    """Return the id of a field of the value builder."""
    return {"type": "auction-worth-field", "name": name}


# Debrief
DEBRIEF = "auction-debrief"  # what the page tells; its Stores: -job, -ended, -seen
DEBRIEF_ASKED = "auction-debrief-asked"  # Store: the auction whose debrief is still to be worked out
DEBRIEF_OF = "auction-debrief-of"  # Store: the auction that is told, None for a ledger from a file
DEBRIEF_FILE = "auction-debrief-file"  # upload: a ledger, or round files with a configuration
DEBRIEF_READ = "auction-debrief-read"  # what the file holds; the same Stores
DEBRIEF_KEEP = "auction-debrief-keep"  # the result files of an uploaded ledger
DEBRIEF_CHANGE = "auction-debrief-change"  # which rule would have been another
DEBRIEF_RUN = "auction-debrief-run"
DEBRIEF_RERUN = "auction-debrief-rerun"  # what that would have done; its Stores: -job, -ended, -seen


def debrief_figure(name: str) -> dict[str, str]:
    """Return the id of a chart of the debrief."""
    return {"type": "auction-debrief-figure", "name": name}


def debrief_bundles(bidder: int) -> dict[str, str | int]:
    """Return the id of the button that keeps all bundles of the bidder at a place."""
    return {"type": "auction-debrief-bundles", "bidder": bidder}
