"""The numerics and rules of Headroom: tables in, arrays at work, tables out; no web, no global state."""
