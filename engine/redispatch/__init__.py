"""Capacity when units move in every state to make room: largest extra loads, joint allocation, and their proofs."""
