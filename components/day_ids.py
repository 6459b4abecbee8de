"""The ids that every page of a day has: ``<page>-<thing>``, in modules of their own such as feeder_ids and hubs_ids."""

from typing import Protocol


class DayIds(Protocol):
    """A module of ids; each is told of there."""

    PAGE: str
    STUDY: str
    FOUND: str
    DRAWING: str
    PAINTED: str
    EDITS: str
    STATE: str
    FRAME: str
    COMPUTE: str
    JOB: str
    QUERY: str
    ADDRESS: str
    HOUR: str
    AT: str
    PLAY: str
    TAB: str
    TABLES: str
    SHEET: str
    UPLOAD: str
    EXPORT: str
    LINK: str

    def word(self, name: str) -> str:
        """Return the id of a control of the question."""

    def panel(self, tab: str) -> str:
        """Return the id of the body of a tab of the drawer."""

    def place(self, tab: str) -> str:
        """Return the id of what holds the chart of a tab, put there when the tab first shows."""

    def seen(self, tab: str) -> str:
        """Return the id of the Store with what is looked at, written while its tab shows."""

    def figure(self, tab: str) -> str:
        """Return the id of the chart of a tab of the drawer."""

    def edit(self, name: str) -> str:
        """Return the id of a control of the edits."""

    def file(self, kind: str) -> str:
        """Return the id of the button that saves a file of the answer."""
