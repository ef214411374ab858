"""The columnar table of every run that is known."""
