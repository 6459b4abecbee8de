"""Ids of the Resilience page: ``resilience-<thing>``."""

PAGE = "resilience"
STUDY = "resilience-study"  # Store: the study that holds the reader's own files, "" for none; its Store -start
FOUND = "resilience-found"  # Store: {"question", "key", "partial", "labels", "worst"} of what is drawn
DRAWING = "resilience-drawing"  # Store: what assets/98_resilience1_paint.js draws
PAINTED = "resilience-painted"  # Store, written by nobody: the browser paints
EDITS = "resilience-edits"  # Store: the edits of types of modules, in their order; its Store -pressed
STATE = "resilience-state"  # the strip between the question and the answer
FRAME = "resilience-frame"  # around the answer: hatched while it is stale
COMPUTE = "resilience-compute"
JOB = "resilience-job"  # Store: ids of the jobs that the page waits for; its Stores: -seen, -ended
QUERY = "resilience-query"  # Store: the question as a query string
ADDRESS = "resilience-address"  # Store: the whole query string in the address bar
HOUR = "resilience-hour"  # slider: index of the step that is drawn
AT = "resilience-at"  # Store: {"method", "shock", "hour", "selection", "key"} once the slider rests
PLAY = "resilience-play"
METHOD = "resilience-method"  # whose plan is drawn
SHOCK = "resilience-shock"  # number of the shock that is drawn, from 1; empty: the dearest under that plan
ON = "resilience-on"  # hidden: the set of shocks that the distribution is of, "" for the first no plan has seen
FILM = "resilience-film"  # Store: the shock that is drawn, step by step; its Store -key
TAB = "resilience-tab"
TABLES = "resilience-tables"
SHEET = "resilience-sheet"  # in the inspector: what is selected, else the story of the study
UPLOAD = "resilience-upload"  # upload: shocks of one's own; -shown, -offer (Store), -take, -message
EXPORT = "resilience-export"  # the panel of the files
LINK = "resilience-export-link"


def word(name: str) -> str:
    """Return the id of a control of the question."""
    return f"resilience-word-{name}"


def panel(tab: str) -> str:
    """Return the id of the body of a tab of the drawer."""
    return f"resilience-panel-{tab}"


def place(tab: str) -> str:
    """Return the id of what holds the chart of a tab, put there when the tab first shows."""
    return f"resilience-place-{tab}"


def seen(tab: str) -> str:
    """Return the id of the Store with what is looked at, written while its tab shows."""
    return f"resilience-seen-{tab}"


def figure(tab: str) -> str:
    """Return the id of the chart of a tab of the drawer."""
    return f"resilience-figure-{tab}"


def why(what: str) -> str:
    """Return the id of a number that says why."""
    return f"resilience-why-{what}"


def edit(name: str) -> str:
    """Return the id of a control of the edits: "type", "field", "value", "change" or "clear"."""
    return f"resilience-edit-{name}"


def fewer(name: str) -> str:
    """Return the id of a control of what makes shocks fewer: "count", "method" or "press"."""
    return f"resilience-fewer-{name}"


def file(kind: str) -> str:
    """Return the id of the button that saves a file of the answer: "csv", "json", "npz", "shocks" or "py"."""
    return f"resilience-file-{kind}"
