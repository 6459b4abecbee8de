"""Component libraries whose scripts wait until one of their components is drawn (assets/05_late.js fetches them)."""

from types import ModuleType

import dash_ag_grid
import dash_cytoscape

LIBRARIES: tuple[ModuleType, ...] = (dash_ag_grid, dash_cytoscape)  # 350 and 150 kB compressed


def defer() -> None:
    """Take the scripts of LIBRARIES out of every page; they stay served. Call it before the first page is served."""
    for library in LIBRARIES:
        for resource in library._js_dist:  # the list by which a library names its scripts
            if resource["relative_package_path"] == f"{library.__name__}.min.js":
                resource["async"] = "lazy"
