"""Least-cost dispatch under linear power flow, and its prices."""
