"""A panel that waits for a job of its own: the browser follows the job and tells the panel once when it has ended."""

from dash import ClientsideFunction, Dash, Input, Output, State

from components import ids


def follow_job(app: Dash, panel: str) -> None:
    """Follow the job that the Store ``<panel>-job`` names: its end is written to ``<panel>-ended``.

    The Stores are those of ``components.skeleton.job_stores``.
    """
    app.clientside_callback(
        ClientsideFunction("headroom", "panelJob"),
        Output(f"{panel}-seen", "data"),
        Input(ids.JOBS, "data"),
        Input(f"{panel}-job", "data"),
        State(panel, "id"),
    )
