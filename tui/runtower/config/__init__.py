"""Nested, typed configs: read from wherever they are, compared, and said again as YAML or as Hydra's overrides."""
