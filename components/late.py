"""Which scripts of the component libraries come with a page, and which when a component of theirs is drawn.

Each library lists its scripts in a module attribute, and Dash writes a page's script elements from these lists.
"""

from types import ModuleType

import dash_ag_grid
import dash_cytoscape
import dash_leaflet
from dash import _dash_renderer, dash_table, dcc

LAZY: tuple[tuple[ModuleType, str], ...] = (
    (dash_ag_grid, "dash_ag_grid.min.js"),  # 300 kB compressed; assets/05_late.js fetches this and the next
    (dash_cytoscape, "dash_cytoscape.min.js"),  # 150 kB
    (dash_table, "dash_table/bundle.js"),  # on no page: tables are ag-grid's
)
# Small, and on every page or every map: as scripts of their own they would cost a round trip while a page is drawn.
EAGER: tuple[tuple[ModuleType, str], ...] = (
    (dcc, "dcc/async-upload.js"),
    (dash_leaflet, "async-GeoJSON.js"),
)
_OLD = "polyfill@"  # 33 kB for browsers without ES2015, on which neither map nor styles would work


def arrange() -> None:
    """Sort the scripts of the libraries as above. Call it before the first page is served; twice does no harm."""
    for library, path in LAZY:
        _resource(library, path)["async"] = "lazy"
    for library, path in EAGER:
        _resource(library, path)["async"] = False
    for dependency in _dash_renderer._js_dist_dependencies:
        for where in ("relative_package_path", "external_url"):
            dependency[where]["prod"] = [path for path in dependency[where]["prod"] if _OLD not in path]


def _resource(library: ModuleType, path: str) -> dict[str, object]:
    found: dict[str, object] = next(one for one in library._js_dist if one["relative_package_path"] == path)
    return found
