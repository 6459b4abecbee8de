"""Ids of the Capacity page: ``capacity-<thing>``."""

STUDY = "capacity-study"  # Store: the study this page was opened for
SITES = "capacity-sites"  # Store: {"bus": [...], "mw": [...]}
SITES_WORD = "capacity-sites-word"
SITES_KV = "capacity-sites-kv"
SITES_ZONE = "capacity-sites-zone"
SITES_MOST = "capacity-sites-most"
SITES_CHOOSE = "capacity-sites-choose"
SITES_TEXT = "capacity-sites-text"
SITES_USE = "capacity-sites-use"
SITES_MESSAGE = "capacity-sites-message"
SITE_TOGGLE = "capacity-site-toggle"  # in the inspector: the selected bus becomes a site, or stops being one
UPLOAD = "capacity-upload"
UPLOAD_MESSAGE = "capacity-upload-message"
COMPUTE = "capacity-compute"
HOLD = "capacity-hold"
STOP = "capacity-stop"
INSPECTED = "capacity-inspected"  # in the inspector: what is told of the selected element
PERIOD = "capacity-period"  # the switch of the parts of the year
YEAR = "capacity-year"  # the chart of the parts of the year
MORE = "capacity-more-held"  # Store: fields of the question that panels of their own hold, by name
WORDS = "capacity-words"  # Store: the words of an answer side by side that was pressed
VARIANT = "capacity-variant"  # Store: which of the four answers side by side was asked to be computed
STATE = "capacity-state"  # the strip between the question and the answer
FRAME = "capacity-frame"  # around the answer: hatched while it is stale
ANSWERED = "capacity-answered"  # Store: the question that is drawn, the network it is for, a revision
JOB = "capacity-job"  # Store: ids of the jobs that the page waits for
JOB_ENDED = "capacity-job-ended"  # Store: written in the browser when one of them ends
QUERY = "capacity-query"  # Store: the question as a query string
ADDRESS = "capacity-address"  # Store: the whole query string in the address bar
TAB = "capacity-tab"  # which table the drawer shows
FILTER_KV = "capacity-filter-kv"
FILTER_ZONE = "capacity-filter-zone"
FILTER_MW = "capacity-filter-mw"
FILTER_WORD = "capacity-filter-word"
TRAY = "capacity-tray"
TABLES = "capacity-tables"
PRODUCTS = "capacity-products"
PUBLISH = "capacity-publish"
AUCTION = "capacity-auction"  # in the tray: the way to the auction of what was published
PUBLISHED = "capacity-published"  # Store: bumped when a product set was published
CHECKING = "capacity-checking"  # Store: id of the job that checks a set which is published when it is done
VERSIONS = "capacity-versions"
CURVE = "capacity-curve"
WHY_BINDING = "capacity-why-total-binding"  # its card is filled when it is pressed


def word(name: str) -> str:
    """Return the id of a control of the capacity question."""
    return f"capacity-word-{name}"


def export(kind: str) -> dict[str, str]:
    """Return the id of an export button: "csv", "geojson" or "json" of what the drawer shows."""
    return {"type": "capacity-export", "kind": kind}


def version(version: int, kind: str) -> dict[str, str | int]:
    """Return the id of the download button of a published product set."""
    return {"type": "capacity-version", "version": version, "kind": kind}


REPORT = "capacity-report"  # popover: the ways to the printable reports of what is drawn
REPORT_LINKS = "capacity-report-links"


# What a promise is worth, the check by other solvers, conditions of one's own, requests
PROMISE = "capacity-promise"  # the panel in the inspector; its Stores: -job, -ended, -seen
PROMISE_MEASURE = "capacity-promise-measure"
CHECKED = "capacity-checked"  # the panel below the products; its Stores: -job, -ended, -seen
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


# Each bus alone with redispatch, in one state
LARGEST = "capacity-largest"  # the panel in the inspector; its Stores: -job, -ended, -seen
LARGEST_RUN = "capacity-largest-run"
LARGEST_STATE = "capacity-largest-state"  # the box that holds the label of a state, empty for the largest load
LARGEST_FOUND = "capacity-largest-found"  # Store: {"asked", "key"} of what the map, the table and the panel draw
LARGEST_WHY = "capacity-why-largest"


def condition_remove(place: int) -> dict[str, str | int]:
    """Return the id of the button that takes a condition away."""
    return {"type": "capacity-condition-remove", "place": place}
