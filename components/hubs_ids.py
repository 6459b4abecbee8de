"""Ids of the Hubs page: ``hubs-<thing>``."""

PAGE = "hubs"
STUDY = "hubs-study"  # Store: the study that holds the reader's own files, "" for none; its Store -start
FOUND = "hubs-found"  # Store: {"question", "key", "partial", "labels", "worst"} of what is drawn
DRAWING = "hubs-drawing"  # Store: what assets/97_hubs1_paint.js draws
PAINTED = "hubs-painted"  # Store, written by nobody: the browser paints
EDITS = "hubs-edits"  # Store: the edits of hubs, in their order; its Store -pressed
STATE = "hubs-state"  # the strip between the question and the answer
FRAME = "hubs-frame"  # around the answer: hatched while it is stale
COMPUTE = "hubs-compute"
JOB = "hubs-job"  # Store: ids of the jobs that the page waits for; its Stores: -seen, -ended
QUERY = "hubs-query"  # Store: the question as a query string
ADDRESS = "hubs-address"  # Store: the whole query string in the address bar
HOUR = "hubs-hour"  # slider: index of the period that is drawn
AT = "hubs-at"  # Store: {"show", "outcome", "hour", "selection", "key"} once the slider rests
PLAY = "hubs-play"
SHOW = "hubs-show"  # before, after or both
OUTCOME = "hubs-outcome"  # with which prices, and which kind of hubs
TAB = "hubs-tab"
TABLES = "hubs-tables"
SHEET = "hubs-sheet"  # in the inspector: what is selected, else the story of the study
UPLOAD = "hubs-upload"  # upload: a case of one's own; -shown, -offer (Store), -take, -message
EXPORT = "hubs-export"  # the panel of the files
LINK = "hubs-export-link"


def word(name: str) -> str:
    """Return the id of a control of the question."""
    return f"hubs-word-{name}"


def panel(tab: str) -> str:
    """Return the id of the body of a tab of the drawer."""
    return f"hubs-panel-{tab}"


def place(tab: str) -> str:
    """Return the id of what holds the chart of a tab, put there when the tab first shows."""
    return f"hubs-place-{tab}"


def seen(tab: str) -> str:
    """Return the id of the Store with what is looked at, written while its tab shows."""
    return f"hubs-seen-{tab}"


def figure(tab: str) -> str:
    """Return the id of the chart of a tab of the drawer."""
    return f"hubs-figure-{tab}"


def why(what: str) -> str:
    """Return the id of a number that says why."""
    return f"hubs-why-{what}"


def edit(name: str) -> str:
    """Return the id of a control of the edits: "hub", "hub-asset", "hub-factor", "clear" and the like."""
    return f"hubs-edit-{name}"


def form(kind: str) -> str:
    """Return the id of the form that changes what is selected: "hub", "line" or "substation"."""
    return f"hubs-form-{kind}"


def file(kind: str) -> str:
    """Return the id of the button that saves a file of the answer: "csv", "json", "npz", "case" or "py"."""
    return f"hubs-file-{kind}"
