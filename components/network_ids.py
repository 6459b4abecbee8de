"""Ids of the Network page: ``network-<thing>``."""

STUDY = "network-study"  # Store: the study this page was opened for
VERSION = "network-version"  # Store: {"digest", "revision", "readonly"} of what is on the screen
EVENT = "network-event"  # Store: one edit on its way to the server, written in the browser (assets/draw3_edits.js)
ACK = "network-ack"  # Store: {"seq", "ok", "from"}: the server has answered that edit
TAB = "network-tab"  # which table the drawer shows
LOADED = "network-loaded"  # Store: the tables whose rows are in the browser
PANE = "network-pane"  # around map and canvas
CANVAS = "network-canvas"  # the cytoscape canvas
CANVAS_FRAME = "network-canvas-frame"
CANVAS_LAYER = "network-canvas-layer"  # the layer switch of the canvas
UNDO = "network-undo"
REDO = "network-redo"
MESSAGE = "network-message"
PAINTED = "network-painted"  # Store: never written; a callback with an output runs when its page is drawn
PLACED = "network-placed"  # Store: as above
TABBED = "network-tabbed"  # Store: as above
MARKED = "network-marked"  # Store: as above
HINT = "network-hint"  # over the empty canvas
ADD = "network-add"  # popover: a new row
ADD_MESSAGE = "network-add-message"
PASTE = "network-paste"  # popover: rows from a spreadsheet
PASTE_TEXT = "network-paste-text"
PASTE_WHERE = "network-paste-where"
PASTE_MESSAGE = "network-paste-message"
ROWS_FILE = "network-rows-file"  # upload: a CSV file of rows for the open table
IMPORT = "network-import"  # popover
UPLOAD = "network-upload"
UPLOADED = "network-uploaded"  # what was understood
OFFER = "network-offer"  # Store: digest of the network that is offered, not yet taken
FILE = "network-file"  # Store: digest of the uploaded file, kept while its snapshots can be chosen from
SNAPSHOT = "network-snapshot"  # which of the file's snapshots is read
SNAPSHOTS = "network-snapshots"  # what holds that word
REPLACE = "network-replace"
AS_NEW = "network-as-new"
LIBRARY = "network-library"
LIBRARY_SHOW = "network-library-show"
SCALE = "network-scale"
RATING = "network-rating"
LEAST = "network-least"
SECURITY = "network-security"  # "base", or after which outages limits hold: "all" or "listed"
AFTER = "network-after"  # the rating that holds after an outage
SOLVE = "network-solve"
ANSWER = "network-answer"  # Store: {"digest", "question"} of the DC-OPF on the screen
ANSWER_STATE = "network-answer-state"
JOB = "network-job"  # Store: {"id", "digest", "question"} of the DC-OPF that the page waits for
JOB_ENDED = "network-job-ended"  # Store: written in the browser when that job ends
DISPATCH = "network-dispatch"  # which table of the dispatch shows, see components.network_dispatch
ADDRESS = "network-address"  # Store: the whole query string in the address bar
NAME = "network-name"


def field(column: str) -> dict[str, str]:
    """Return the id of a field of the inspector's form."""
    return {"type": "network-field", "column": column}


def new(column: str) -> dict[str, str]:
    """Return the id of a field of a new row."""
    return {"type": "network-new", "column": column}


def export(kind: str) -> dict[str, str]:
    """Return the id of an export button: "matpower", "csv", "geojson" or "json"."""
    return {"type": "network-export", "kind": kind}


def dispatch_export(kind: str) -> dict[str, str]:
    """Return the id of an export button of the dispatch: "csv", "geojson" or "json" of the table that shows."""
    return {"type": "network-dispatch-export", "kind": kind}
