"""Pure functions that return layouts and figures; they read no state."""
