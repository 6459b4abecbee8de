"""Ids of the Feeder page: ``feeder-<thing>``."""

PAGE = "feeder"
STUDY = "feeder-study"  # Store: the study that holds the reader's own files, "" for none; its Store -start
FOUND = "feeder-found"  # Store: {"question", "key", "partial", "stamp"} of what is drawn
DRAWING = "feeder-drawing"  # Store: what assets/95_feeder.js draws
PAINTED = "feeder-painted"  # Store, written by nobody: the browser paints
EDITS = "feeder-edits"  # Store: the edits of the feeder, in their order; its Store -pressed
STATE = "feeder-state"  # the strip between the question and the answer
FRAME = "feeder-frame"  # around the answer: hatched while it is stale
COMPUTE = "feeder-compute"
JOB = "feeder-job"  # Store: ids of the jobs that the page waits for; its Stores: -seen, -ended
QUERY = "feeder-query"  # Store: the question as a query string
ADDRESS = "feeder-address"  # Store: the whole query string in the address bar
HOUR = "feeder-hour"  # slider: index of the hour that is drawn
AT = "feeder-at"  # Store: {"case", "hour", "layer", "selection"} once the slider rests
PLAY = "feeder-play"
LAYER = "feeder-layer"
CASE = "feeder-case"
TAB = "feeder-tab"
TABLES = "feeder-tables"
SHEET = "feeder-sheet"  # in the inspector: what is selected, else the whole day
UPLOAD = "feeder-upload"  # upload: a feeder of one's own; -shown, -offer (Store), -take, -work (upload), -message
EXPORT = "feeder-export"  # the panel of the files
LINK = "feeder-export-link"
COMPARED = "feeder-compared"  # what the edits have changed


def word(name: str) -> str:
    """Return the id of a control of the feeder's question."""
    return f"feeder-word-{name}"


def panel(tab: str) -> str:
    """Return the id of the body of a tab of the drawer."""
    return f"feeder-panel-{tab}"


def place(tab: str) -> str:
    """Return the id of what holds the chart of a tab, put there when the tab first shows."""
    return f"feeder-place-{tab}"


def seen(tab: str) -> str:
    """Return the id of the Store with what is looked at, written while its tab shows."""
    return f"feeder-seen-{tab}"


def figure(tab: str) -> str:
    """Return the id of the chart of a tab of the drawer."""
    return f"feeder-figure-{tab}"


def why(what: str) -> str:
    """Return the id of a number of the totals that says why."""
    return f"feeder-why-{what}"


def edit(name: str) -> str:
    """Return the id of a control of the edits: "move", "move-bus", ..."""
    return f"feeder-edit-{name}"


def file(kind: str) -> str:
    """Return the id of the button that saves a file of the answer: "csv", "json", "npz" or "python"."""
    return f"feeder-file-{kind}"
