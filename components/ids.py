"""Every component id: `<page>-<thing>`. Ids that every page has are functions of the page's key.

The shell's ids come first; a page that needs more adds its own block at the end.
"""

from typing import Any

# The shell: outlives a page change.
LOCATION = "shell-location"  # dcc.Location
STUDY = "shell-study"  # Store: id of the open study, or None
STUDY_ROLE = "shell-study-role"  # Store: "owner", "reader" or None
STUDIES_CHANGED = "shell-studies-changed"  # Store: bump it (any new value) after making or changing a study
THEME = "shell-theme"  # Store: "light" or "dark"
JOBS = "shell-jobs"  # Store: list of this user's running and just finished jobs, written by assets/40_jobs.js
JOBS_WAKE = "shell-jobs-wake"  # Store: write any new value after submitting a job, and polling starts at once
# Store: {"text", "undo": {"action", ...} or None, "at": a value that differs each time, "stay": until it is closed}
TOAST = "shell-toast"
# Store: the toast's "undo" mapping, with "at", once its button was pressed; a mapping with "store" goes to that one
UNDO = "shell-undo"
DOWNLOAD = "shell-download"  # dcc.Download
CONTENT = "shell-content"
RAIL = "shell-rail"
RAIL_PATHS = "shell-rail-paths"  # Store: path of each link of the rail
STUDY_NAME = "shell-study-name"
STUDY_MENU = "shell-study-menu"
STUDY_LIST = "shell-study-list"
STUDY_NEW = "shell-study-new"
STUDY_RENAME = "shell-study-rename"
STUDY_DUPLICATE = "shell-study-duplicate"
STUDY_DELETE = "shell-study-delete"
STUDY_EXPORT = "shell-study-export"
STUDY_IMPORT = "shell-study-import"
STUDY_SHARE = "shell-study-share"
SHARE_ASKED = "shell-share-asked"  # Store: {"href", "at"} of the view when its link was asked for
STUDY_DIALOG = "shell-study-dialog"
STUDY_DIALOG_TITLE = "shell-study-dialog-title"
STUDY_DIALOG_TEXT = "shell-study-dialog-text"
STUDY_DIALOG_NAME = "shell-study-dialog-name"
STUDY_DIALOG_OK = "shell-study-dialog-ok"
STUDY_DIALOG_CANCEL = "shell-study-dialog-cancel"
STUDY_DIALOG_MESSAGE = "shell-study-dialog-message"
STUDY_DIALOG_MODE = "shell-study-dialog-mode"
SHARE_DIALOG = "shell-share-dialog"
SHARE_LINK = "shell-share-link"
SHARE_MESSAGE = "shell-share-message"
SHARE_REVOKE = "shell-share-revoke"
SHARE_CLOSE = "shell-share-close"
JOB_BANNER = "shell-job-banner"
HELP = "shell-help"
HELP_BODY = "shell-help-body"
HELP_PAGE = "shell-help-page"  # Store: path of the page whose words the open help drawer tells
THEME_TOGGLE = "shell-theme-toggle"
MESSAGE = "shell-message"  # role="status": a sentence for the whole window


# Every page with a workbench.
def selection(page: str) -> str:
    """Return the id of the Store that holds what is selected, as ``"bus:5120"`` (see skeleton.element)."""
    return f"{page}-selection"


def workbench(page: str) -> str:
    """Return the id of the workbench: map, inspector and drawer."""
    return f"{page}-workbench"


def question(page: str) -> str:
    """Return the id of the question bar."""
    return f"{page}-question"


def inspector(page: str) -> str:
    """Return the id of the inspector's body, whose children a page writes."""
    return f"{page}-inspector"


def drawer(page: str) -> str:
    """Return the id of the drawer's body."""
    return f"{page}-drawer"


def totals(page: str) -> str:
    """Return the id of the totals strip."""
    return f"{page}-totals"


def status(page: str) -> str:
    """Return the id of the page's status line (role="status")."""
    return f"{page}-status"


def map_(page: str) -> str:
    """Return the id of the dash-leaflet map."""
    return f"{page}-map"


def map_buses(page: str) -> str:
    """Return the id of the bus layer; its ``url`` may be written."""
    return f"{page}-map-buses"


def map_branches(page: str) -> str:
    """Return the id of the branch layer; its ``url`` may be written."""
    return f"{page}-map-branches"


def map_layers(page: str) -> str:
    """Return the id of the Store with the layers' values: the output of grid_map.layers_data."""
    return f"{page}-map-layers"


def map_layer(page: str) -> str:
    """Return the id of the layer switch; its ``value`` is a layer's key."""
    return f"{page}-map-layer"


def map_filter(page: str) -> str:
    """Return the id of the Store with the positions of the buses to show, or None for all."""
    return f"{page}-map-filter"


def map_legend(page: str) -> str:
    """Return the id of the legend."""
    return f"{page}-map-legend"


def map_search(page: str) -> str:
    """Return the id of the search box."""
    return f"{page}-map-search"


def grid(page: str, name: str = "table") -> str:
    """Return the id of an ag-grid."""
    return f"{page}-{name}-grid"


def grid_filter(page: str, name: str = "table") -> str:
    """Return the id of a grid's quick filter."""
    return f"{page}-{name}-filter"


def grid_csv(page: str, name: str = "table") -> str:
    """Return the id of a grid's CSV button."""
    return f"{page}-{name}-csv"


# Home
HOME_RECENT = "home-recent"
HOME_EXAMPLES = "home-examples"
HOME_MESSAGE = "home-message"


def home_open(example: str) -> dict[str, str]:
    """Return the id of the button that opens an example as a study of one's own."""
    return {"type": "home-open", "example": example}


def home_delete(study: str) -> dict[str, str]:
    """Return the id of the delete button of a recent study."""
    return {"type": "home-delete", "study": study}


def study_open(study: str) -> dict[str, str]:
    """Return the id of a study's entry in the picker."""
    return {"type": "shell-study-open", "study": study}


def job_cancel(job: str) -> dict[str, str]:
    """Return the id of a job's cancel button on a progress card."""
    return {"type": "shell-job-cancel", "job": job}


# Capacity
CAPACITY = "capacity"  # the page's key
CAPACITY_STUDY = "capacity-study"  # Store: the study this page was opened for
CAPACITY_SITES = "capacity-sites"  # Store: {"bus": [...], "mw": [...]}
CAPACITY_SITES_WORD = "capacity-sites-word"
CAPACITY_SITES_KV = "capacity-sites-kv"
CAPACITY_SITES_ZONE = "capacity-sites-zone"
CAPACITY_SITES_MOST = "capacity-sites-most"
CAPACITY_SITES_CHOOSE = "capacity-sites-choose"
CAPACITY_SITES_TEXT = "capacity-sites-text"
CAPACITY_SITES_USE = "capacity-sites-use"
CAPACITY_SITES_MESSAGE = "capacity-sites-message"
CAPACITY_SITE_TOGGLE = "capacity-site-toggle"  # in the inspector: the selected bus becomes a site, or stops being one
CAPACITY_UPLOAD = "capacity-upload"
CAPACITY_UPLOAD_MESSAGE = "capacity-upload-message"
CAPACITY_COMPUTE = "capacity-compute"
CAPACITY_HOLD = "capacity-hold"
CAPACITY_STOP = "capacity-stop"
CAPACITY_INSPECTED = "capacity-inspected"  # in the inspector: what is told of the selected element
CAPACITY_PERIOD = "capacity-period"  # the switch of the parts of the year
CAPACITY_YEAR = "capacity-year"  # the chart of the parts of the year
CAPACITY_MORE = "capacity-more-held"  # Store: fields of the question that panels of their own hold, by name
CAPACITY_WORDS = "capacity-words"  # Store: the words of an answer side by side that was pressed
CAPACITY_VARIANT = "capacity-variant"  # Store: which of the four answers side by side was asked to be computed
CAPACITY_STATE = "capacity-state"  # the strip between the question and the answer
CAPACITY_FRAME = "capacity-frame"  # around the answer: hatched while it is stale
CAPACITY_ANSWERED = "capacity-answered"  # Store: the question that is drawn, the network it is for, a revision
CAPACITY_JOB = "capacity-job"  # Store: ids of the jobs that the page waits for
CAPACITY_JOB_ENDED = "capacity-job-ended"  # Store: written in the browser when one of them ends
CAPACITY_QUERY = "capacity-query"  # Store: the question as a query string
CAPACITY_ADDRESS = "capacity-address"  # Store: the whole query string in the address bar
CAPACITY_TAB = "capacity-tab"  # which table the drawer shows
CAPACITY_FILTER_KV = "capacity-filter-kv"
CAPACITY_FILTER_ZONE = "capacity-filter-zone"
CAPACITY_FILTER_MW = "capacity-filter-mw"
CAPACITY_FILTER_WORD = "capacity-filter-word"
CAPACITY_TRAY = "capacity-tray"
CAPACITY_TABLES = "capacity-tables"
CAPACITY_PRODUCTS = "capacity-products"
CAPACITY_PUBLISH = "capacity-publish"
CAPACITY_AUCTION = "capacity-auction"  # in the tray: the way to the auction of what was published
CAPACITY_PUBLISHED = "capacity-published"  # Store: bumped when a product set was published
CAPACITY_CHECKING = "capacity-checking"  # Store: id of the job that checks a set which is published when it is done
CAPACITY_VERSIONS = "capacity-versions"
CAPACITY_CURVE = "capacity-curve"
CAPACITY_WHY_BINDING = "capacity-why-total-binding"  # its card is filled when it is pressed


def capacity_word(name: str) -> str:
    """Return the id of a control of the capacity question."""
    return f"capacity-word-{name}"


def capacity_export(kind: str) -> dict[str, str]:
    """Return the id of an export button: "csv", "geojson" or "json" of what the drawer shows."""
    return {"type": "capacity-export", "kind": kind}


def capacity_version(version: int, kind: str) -> dict[str, str | int]:
    """Return the id of the download button of a published product set."""
    return {"type": "capacity-version", "version": version, "kind": kind}


# Network
NETWORK = "network"  # the page's key
NETWORK_STUDY = "network-study"  # Store: the study this page was opened for
NETWORK_VERSION = "network-version"  # Store: {"digest", "revision", "readonly"} of what is on the screen
NETWORK_EVENT = (
    "network-event"  # Store: one edit on its way to the server, written in the browser (assets/draw3_edits.js)
)
NETWORK_ACK = "network-ack"  # Store: {"seq", "ok", "from"}: the server has answered that edit
NETWORK_TAB = "network-tab"  # which table the drawer shows
NETWORK_LOADED = "network-loaded"  # Store: the tables whose rows are in the browser
NETWORK_PANE = "network-pane"  # around map and canvas
NETWORK_CANVAS = "network-canvas"  # the cytoscape canvas
NETWORK_CANVAS_FRAME = "network-canvas-frame"
NETWORK_CANVAS_LAYER = "network-canvas-layer"  # the layer switch of the canvas
NETWORK_UNDO = "network-undo"
NETWORK_REDO = "network-redo"
NETWORK_MESSAGE = "network-message"
NETWORK_PAINTED = "network-painted"  # Store: never written; a callback with an output runs when its page is drawn
NETWORK_PLACED = "network-placed"  # Store: as above
NETWORK_TABBED = "network-tabbed"  # Store: as above
NETWORK_MARKED = "network-marked"  # Store: as above
NETWORK_HINT = "network-hint"  # over the empty canvas
NETWORK_ADD = "network-add"  # popover: a new row
NETWORK_ADD_MESSAGE = "network-add-message"
NETWORK_PASTE = "network-paste"  # popover: rows from a spreadsheet
NETWORK_PASTE_TEXT = "network-paste-text"
NETWORK_PASTE_WHERE = "network-paste-where"
NETWORK_PASTE_MESSAGE = "network-paste-message"
NETWORK_ROWS_FILE = "network-rows-file"  # upload: a CSV file of rows for the open table
NETWORK_IMPORT = "network-import"  # popover
NETWORK_UPLOAD = "network-upload"
NETWORK_UPLOADED = "network-uploaded"  # what was understood
NETWORK_OFFER = "network-offer"  # Store: digest of the network that is offered, not yet taken
NETWORK_FILE = "network-file"  # Store: digest of the uploaded file, kept while its snapshots can be chosen from
NETWORK_SNAPSHOT = "network-snapshot"  # which of the file's snapshots is read
NETWORK_SNAPSHOTS = "network-snapshots"  # what holds that word
NETWORK_REPLACE = "network-replace"
NETWORK_AS_NEW = "network-as-new"
NETWORK_LIBRARY = "network-library"
NETWORK_LIBRARY_SHOW = "network-library-show"
NETWORK_EXPORT = "network-export"  # popover
NETWORK_SCALE = "network-scale"
NETWORK_RATING = "network-rating"
NETWORK_LEAST = "network-least"
NETWORK_SECURITY = "network-security"  # "base", or after which outages limits hold: "all" or "listed"
NETWORK_AFTER = "network-after"  # the rating that holds after an outage
NETWORK_SOLVE = "network-solve"
NETWORK_ANSWER = "network-answer"  # Store: {"digest", "question"} of the DC-OPF on the screen
NETWORK_ANSWER_STATE = "network-answer-state"
NETWORK_JOB = "network-job"  # Store: {"id", "digest", "question"} of the DC-OPF that the page waits for
NETWORK_JOB_ENDED = "network-job-ended"  # Store: written in the browser when that job ends
NETWORK_DISPATCH = "network-dispatch"  # which table of the dispatch shows, see components.network_dispatch
NETWORK_ADDRESS = "network-address"  # Store: the whole query string in the address bar
NETWORK_NAME = "network-name"


def network_field(column: str) -> dict[str, str]:
    """Return the id of a field of the inspector's form."""
    return {"type": "network-field", "column": column}


def network_new(column: str) -> dict[str, str]:
    """Return the id of a field of a new row."""
    return {"type": "network-new", "column": column}


def network_export(kind: str) -> dict[str, str]:
    """Return the id of an export button: "matpower", "csv", "geojson" or "json"."""
    return {"type": "network-export", "kind": kind}


def network_dispatch_export(kind: str) -> dict[str, str]:
    """Return the id of an export button of the dispatch: "csv", "geojson" or "json" of the table that shows."""
    return {"type": "network-dispatch-export", "kind": kind}


# Figures, reports, comparison of two settings
def drawing(page: str, what: str, kind: str) -> dict[str, str]:
    """Return the id of the button that brings a figure: "map" or "curve" of a page, as "svg" or "png"."""
    return {"type": f"{page}-drawing", "what": what, "kind": kind}


REPORT = "capacity-report"  # popover: the ways to the printable reports of what is drawn
REPORT_LINKS = "capacity-report-links"
DIFFERENCE = "difference"  # the page's key
DIFFERENCE_PIN = "difference-pin"  # on the Capacity page: keep the drawn answer as A
DIFFERENCE_KEPT = "difference-kept"  # Store of the browser's session: {"study", "question", "network", "period"} of A
DIFFERENCE_FORGET = "difference-forget"
DIFFERENCE_GO = "difference-go"  # on the Capacity page: the link to the comparison
DIFFERENCE_EXPORT = "difference-export"  # popover
DIFFERENCE_BAR = "difference-bar"  # on the Capacity page: what A is, and the way to the comparison
DIFFERENCE_STUDY = "difference-study"  # Store: the study this page was opened for
DIFFERENCE_SIDES = "difference-sides"  # Store: {"a", "b"}, each {"question", "network", "period"}


def difference_export(kind: str) -> dict[str, str]:
    """Return the id of an export button of the comparison: "csv", "svg" or "png"."""
    return {"type": "difference-export", "kind": kind}


# Capacity: what a promise is worth, the check by other solvers, conditions of one's own, requests
PROMISE = "capacity-promise"  # the panel in the inspector; its Stores are named after it: -job, -ended
PROMISE_MEASURE = "capacity-promise-measure"
CHECKED = "capacity-checked"  # the panel below the products; its Stores: -job, -ended
CHECKED_RUN = "capacity-checked-run"
CONDITIONS_KIND = "capacity-conditions-kind"
CONDITIONS_GROUP = "capacity-conditions-group"
CONDITIONS_NUMBER = "capacity-conditions-number"
CONDITIONS_NAME = "capacity-conditions-name"
CONDITIONS_ADD = "capacity-conditions-add"
CONDITIONS_BACK = "capacity-conditions-back"  # Store: a condition whose removal is undone
CONDITIONS_LIST = "capacity-conditions-list"
CONDITIONS_MESSAGE = "capacity-conditions-message"
CONDITIONS_MARK = "capacity-conditions-mark"  # the end of the question's sentence
REQUESTS_HELD = "capacity-requests-held"  # Store: {"rows": [...]} as the study keeps them
REQUESTS_BACK = "capacity-requests-back"  # Store: a row whose removal is undone
REQUESTS_TEXT = "capacity-requests-text"
REQUESTS_READ = "capacity-requests-read"
REQUESTS_START = "capacity-requests-start"
REQUESTS_ADD = "capacity-requests-add"
REQUESTS_REMOVE = "capacity-requests-remove"
REQUESTS_UPLOAD = "capacity-requests-upload"
REQUESTS_CSV = "capacity-requests-csv"
REQUESTS_USE = "capacity-requests-use"
REQUESTS_MESSAGE = "capacity-requests-message"
REQUESTS_TOTAL = "capacity-requests-total"
# Capacity: each bus alone with redispatch, in one state
LARGEST = "capacity-largest"  # the panel in the inspector; its Stores are named after it: -job, -ended
LARGEST_RUN = "capacity-largest-run"
LARGEST_STATE = "capacity-largest-state"  # the box that holds the label of a state, empty for the largest load
LARGEST_FOUND = "capacity-largest-found"  # Store: {"asked", "key"} of what the map, the table and the panel draw
LARGEST_WHY = "capacity-why-largest"


def condition_remove(place: int) -> dict[str, str | int]:
    """Return the id of the button that takes a condition away."""
    return {"type": "capacity-condition-remove", "place": place}


# Auction: host's side
AUCTION = "auction"  # the page's key
AUCTION_PRESETS = "auction-presets"  # Store: what each preset puts into the controls of the rules
AUCTION_START = "auction-start"  # Store: the draft that the address asks for
AUCTION_OPENED = "auction-opened"  # Store: the draft that the form is drawn from: the one kept here, else the start
AUCTION_FORM = "auction-form"
AUCTION_DRAFT = "auction-draft"  # Store: what the form holds now, as typed
AUCTION_TITLE = "auction-title"
AUCTION_CURRENCY = "auction-currency"
AUCTION_PRESET = "auction-preset"
AUCTION_SEED = "auction-seed"
AUCTION_SOLD = "auction-sold"  # word: what is sold
AUCTION_SEATS = "auction-seats"  # word: how many bidders
AUCTION_SUMMARY = "auction-summary"  # the rules in words, and what is wrong
AUCTION_MAKE = "auction-make"
AUCTION_MADE = "auction-made"  # Store: id of the auction that was made from the draft
AUCTION_WORTH = "auction-worth"  # popover: values built from revenue, backup cost and hours
AUCTION_WORTH_RESULT = "auction-worth-result"  # Store: {"seats", "valuation", "at"} for the form
AUCTION_TRY = "auction-try"  # play the draft with bots only
AUCTION_TRIED = "auction-tried"
AUCTION_LIST = "auction-list"
AUCTION_EXAMPLE = "auction-example"  # the worked example's result


def auction_rule(path: str) -> dict[str, str]:
    """Return the id of the control of a rule: ``"increment.kind"``."""
    return {"type": "auction-rule", "name": path}


def auction_word(name: str) -> str:
    """Return the id of a word of the worked example's sentence."""
    return f"auction-word-{name}"


def auction_worth(name: str) -> dict[str, str]:
    """Return the id of a field of the value builder."""
    return {"type": "auction-worth-field", "name": name}


# Auction: bidder's side
AUCTION_SEAT = "auction-seat"  # key of the seat's map; the rest of the page is filled by assets/81_*.js
AUCTION_SCREEN = "auction-screen"  # key of the projector's map


# Auction: debrief
AUCTION_DEBRIEF = "auction-debrief"  # what the page tells; its Stores: -job, -ended, -seen
AUCTION_DEBRIEF_ASKED = "auction-debrief-asked"  # Store: the auction whose debrief is still to be worked out
AUCTION_DEBRIEF_OF = "auction-debrief-of"  # Store: the auction that is told, None for a ledger from a file
AUCTION_DEBRIEF_FILE = "auction-debrief-file"  # upload: a ledger, or round files with a configuration
AUCTION_DEBRIEF_READ = "auction-debrief-read"  # what the file holds; the same Stores
AUCTION_DEBRIEF_KEEP = "auction-debrief-keep"  # the result files of an uploaded ledger
AUCTION_DEBRIEF_CHANGE = "auction-debrief-change"  # which rule would have been another
AUCTION_DEBRIEF_RUN = "auction-debrief-run"
AUCTION_DEBRIEF_RERUN = "auction-debrief-rerun"  # what that would have done; its Stores: -job, -ended, -seen


def auction_debrief_figure(name: str) -> dict[str, str]:
    """Return the id of a chart of the debrief."""
    return {"type": "auction-debrief-figure", "name": name}


def auction_debrief_bundles(bidder: int) -> dict[str, str | int]:
    """Return the id of the button that keeps all bundles of the bidder at a place."""
    return {"type": "auction-debrief-bundles", "bidder": bidder}


# Siting
SITING = "siting"  # the page's key
SITING_STUDY = "siting-study"  # Store: the study this page was opened for
SITING_FOUND = "siting-found"  # Store: the question whose gate (whole or in part) and market the page has, by key
SITING_ANSWERED = "siting-answered"  # Store: what is drawn: {"gate", "market", "envelope", "size", "threshold", ...}
SITING_VIEW = "siting-view"  # Store: envelope, size, threshold, shortlist, weights that the controls hold
SITING_JOB = "siting-job"  # Store: ids of the jobs that the page waits for
SITING_JOB_ENDED = "siting-job-ended"  # Store: written in the browser when one of them ends or has come further
SITING_COMPUTE = "siting-compute"
SITING_STATE = "siting-state"  # the strip between the question and the answer
SITING_FRAME = "siting-frame"  # around the answer: hatched while it is stale
SITING_QUERY = "siting-query"  # Store: the question as a query string
SITING_ADDRESS = "siting-address"  # Store: the whole query string in the address bar
SITING_UPLOAD = "siting-upload"
SITING_FILES = "siting-files"  # Store: (value, name) of the study's files of hours
SITING_TAB = "siting-tab"  # which table the drawer shows
SITING_TABLES = "siting-tables"
SITING_PRICES = "siting-prices"  # what a site does to prices: its Store -shown; the table is the grid "prices"
SITING_WHY_ROW = "siting-why-row"  # the card of a number in a row; its Stores: -asked
SITING_ENVELOPE = "siting-envelope"  # which envelope is drawn
SITING_SIZE = "siting-size"  # which nameplate is drawn
SITING_TOP = "siting-top"  # how many sites the shortlist holds
SITING_SCALING = "siting-scaling"  # whether envelopes are scaled together
SITING_OVERVIEW = "siting-overview"  # in the inspector, while no bus is selected
SITING_SHEET = "siting-sheet"  # in the inspector: the sheet of the selected bus
SITING_SIZES_CHART = "siting-sizes-chart"  # how many sites qualify against size
SITING_MARKET = "siting-market"  # the panel of the market's job
SITING_MARKET_RUN = "siting-market-run"
SITING_COMPARE = "siting-compare"  # who enters and who leaves between two envelopes
SITING_ZONES = "siting-zones"
SITING_PATHWAYS = "siting-pathways"  # the two pathways to power
SITING_CATALOGUE = "siting-catalogue"  # in the drawer
SITING_STUDIES = "siting-studies"  # in the drawer
SITING_AGREEMENT = "siting-agreement"  # in the drawer


def siting_word(name: str) -> str:
    """Return the id of a control of the siting question."""
    return f"siting-word-{name}"


def criterion(part: str, name: Any) -> dict[str, Any]:
    """Return the id of a part ("use", "limit", ...) of a reader's own criterion, by its column."""
    return {"type": f"siting-criterion-{part}", "name": name}


def own_group(name: Any) -> dict[str, Any]:
    """Return the id of the weight of a reader's own group of criteria."""
    return {"type": "siting-own-group", "name": name}


def siting_weight(place: int) -> str:
    """Return the id of the weight of a group of criteria, by its place."""
    return f"siting-weight-{place}"


def siting_seen(tab: str) -> str:
    """Return the id of the Store with what is drawn, written while the tab shows."""
    return f"siting-seen-{tab}"


def siting_years(pathway: str, end: str) -> str:
    """Return the id of an end, "least" or "most", of a pathway's years."""
    return f"siting-years-{pathway}-{end}"


# Siting: the sheet of a site and what follows from a study
SITING_SITE = "siting-site"  # in the sheet: what is told of the selected bus
SITING_OUTAGE = "siting-outage"  # Store: {"k", "hour", "at"}, the outage whose reason is asked for
SITING_OUTAGE_TOLD = "siting-outage-told"
SITING_AC = "siting-ac"  # the panel of the AC power flows; its Stores are named after it: -job, -ended, -seen
SITING_AC_RUN = "siting-ac-run"
SITING_TERMS = "siting-terms"  # the draft agreement in words
SITING_TERMS_HELD = "siting-terms-held"  # Store: the agreement as JSON
SITING_TERMS_KEEP = "siting-terms-keep"
SITING_TERMS_FILE = "siting-terms-file"  # download
SITING_LADDER = "siting-ladder"
SITING_METER = "siting-meter"  # upload: a CSV of metered MW
SITING_METER_TRY = "siting-meter-try"
SITING_AUDIT = "siting-audit"
SITING_SIGNED = "siting-signed"  # Store: {"name", "agreement"} of a signed agreement that was read, None for none
SITING_SIGNED_FILE = "siting-signed-file"  # upload: its JSON
SITING_SIGNED_DROP = "siting-signed-drop"
SITING_SIGNED_SHOWN = "siting-signed-shown"
SITING_ENTRIES = "siting-entries"  # what the Catalogue tab tells
SITING_STANDING = "siting-standing"  # which entries its table shows
SITING_KEEP = "siting-keep"  # the files of the catalogue
SITING_KEEP_FILE = "siting-keep-file"  # download
SITING_REFRESH = "siting-refresh"  # the timeline of versions; its Stores: -job, -ended, -seen, -held
SITING_REFRESH_RUN = "siting-refresh-run"
SITING_STUDY_PANEL = "siting-study-panel"  # what the pressed study found; its Stores: -job, -ended, -seen
SITING_STUDY_ASKED = "siting-study-asked"  # Store: {"name", "at"} of the study that was pressed
SITING_CORRIDORS = "siting-corridors"  # headroom of corridors and substations; its Stores: -job, -ended, -seen
SITING_CORRIDORS_RUN = "siting-corridors-run"
SITING_CLEARING = "siting-clearing"  # awards; its Stores: -job, -ended, -seen
SITING_CLEARING_RUN = "siting-clearing-run"
SITING_AUCTION = "siting-auction"  # which sites can be sold together; its Stores: -job, -ended, -seen
SITING_AUCTION_TRY = "siting-auction-try"
SITING_AUCTION_SELL = "siting-auction-sell"
SITING_APPLICANTS = "siting-applicants"  # the applications, as CSV text
SITING_PROFILES = "siting-profiles"  # in the panel of envelopes: each profile, as asked and as mended
SITING_CRITERIA = "siting-criteria"  # the panel of a reader's own criteria; -table, -groups, -message
SITING_CRITERIA_UPLOAD = "siting-criteria-upload"


def siting_term(name: object) -> dict[str, object]:
    """Return the id of the control of a term of the agreement: ``"tolerance_mw"``."""
    return {"type": "siting-term", "name": name}


def siting_sale(name: object) -> dict[str, object]:
    """Return the id of the control of a term of sale: ``"count"``."""
    return {"type": "siting-sale", "name": name}


def siting_rule(name: object) -> dict[str, object]:
    """Return the id of the control of a rule of the clearing: ``"tranche_mw"``."""
    return {"type": "siting-rule", "name": name}


# The Feeder page.
FEEDER = "feeder"  # the page's key
FEEDER_STUDY = "feeder-study"  # Store: the study that holds the reader's own files, "" for none; its Store -start
FEEDER_FOUND = "feeder-found"  # Store: {"question", "key", "partial", "stamp"} of what is drawn
FEEDER_DRAWING = "feeder-drawing"  # Store: what assets/95_feeder.js draws
FEEDER_PAINTED = "feeder-painted"  # Store, written by nobody: the browser paints
FEEDER_EDITS = "feeder-edits"  # Store: the edits of the feeder, in their order; its Store -pressed
FEEDER_STATE = "feeder-state"  # the strip between the question and the answer
FEEDER_FRAME = "feeder-frame"  # around the answer: hatched while it is stale
FEEDER_COMPUTE = "feeder-compute"
FEEDER_JOB = "feeder-job"  # Store: ids of the jobs that the page waits for; its Stores: -seen, -ended
FEEDER_QUERY = "feeder-query"  # Store: the question as a query string
FEEDER_ADDRESS = "feeder-address"  # Store: the whole query string in the address bar
FEEDER_HOUR = "feeder-hour"  # slider: index of the hour that is drawn
FEEDER_AT = "feeder-at"  # Store: {"case", "hour", "layer", "selection"} once the slider rests
FEEDER_PLAY = "feeder-play"
FEEDER_LAYER = "feeder-layer"
FEEDER_CASE = "feeder-case"
FEEDER_TAB = "feeder-tab"
FEEDER_TABLES = "feeder-tables"
FEEDER_SHEET = "feeder-sheet"  # in the inspector: what is selected, else the whole day
FEEDER_UPLOAD = (
    "feeder-upload"  # upload: a feeder of one's own; -shown, -offer (Store), -take, -work (upload), -message
)
FEEDER_EXPORT = "feeder-export"  # the panel of the files
FEEDER_COMPARED = "feeder-compared"  # what the edits have changed


def feeder_word(name: str) -> str:
    """Return the id of a control of the feeder's question."""
    return f"feeder-word-{name}"


def feeder_panel(tab: str) -> str:
    """Return the id of the body of a tab of the drawer."""
    return f"feeder-panel-{tab}"


def feeder_place(tab: str) -> str:
    """Return the id of what holds the chart of a tab, put there when the tab first shows."""
    return f"feeder-place-{tab}"


def feeder_seen(tab: str) -> str:
    """Return the id of the Store with what is looked at, written while its tab shows."""
    return f"feeder-seen-{tab}"


def feeder_figure(tab: str) -> str:
    """Return the id of the chart of a tab of the drawer."""
    return f"feeder-figure-{tab}"


def feeder_why(what: str) -> str:
    """Return the id of a number of the totals that says why."""
    return f"feeder-why-{what}"


def feeder_edit(name: str) -> str:
    """Return the id of a control of the edits: "move", "move-bus", ..."""
    return f"feeder-edit-{name}"


def feeder_file(kind: str) -> str:
    """Return the id of the button that saves a file of the answer: "csv", "json", "npz" or "python"."""
    return f"feeder-file-{kind}"
