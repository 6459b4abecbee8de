"""Component ids, ``<page>-<thing>``: of the shell, and those that every page has as functions of the page's key.

The ids of one page alone are in a module of that name: ``capacity_ids``, ``siting_ids``.
"""

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


def study_open(study: str) -> dict[str, str]:
    """Return the id of a study's entry in the picker."""
    return {"type": "shell-study-open", "study": study}


def job_cancel(job: str) -> dict[str, str]:
    """Return the id of a job's cancel button on a progress card."""
    return {"type": "shell-job-cancel", "job": job}


# The pages' keys, which the functions below are asked with
CAPACITY = "capacity"
NETWORK = "network"
DIFFERENCE = "difference"
AUCTION = "auction"  # the host's side
AUCTION_SEAT = "auction-seat"  # the bidder's map; the rest of that page is filled by assets/81_*.js
AUCTION_SCREEN = "auction-screen"  # the projector's map
SITING = "siting"
FEEDER = "feeder"
HUBS = "hubs"
RESILIENCE = "resilience"


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


def drawing(page: str, what: str, kind: str) -> dict[str, str]:
    """Return the id of the button that brings a figure: "map" or "curve" of a page, as "svg" or "png"."""
    return {"type": f"{page}-drawing", "what": what, "kind": kind}
