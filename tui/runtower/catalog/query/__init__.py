"""The query language of docs/query.md: from a text to a condition over the catalogue's columns."""
