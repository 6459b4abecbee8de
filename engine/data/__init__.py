"""Small tables of our own, each with its source and licence in README.md, and the script that made them."""
