"""Promoting models: the gate decides, a transaction does it, records tell it."""
