"""Simultaneous ascending auctions of capacity products: rules, ledger, bidders, certificates, formats."""
