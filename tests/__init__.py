"""The tests. ``python3 -m tests`` runs all of them, on a machine that has nothing but Python."""
