"""Firm and flexible withdrawal capacity: how much load a grid can add, in every state or in most of them."""
