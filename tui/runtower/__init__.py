"""runtower: the control tower for ML runs and models, in a terminal."""

__version__ = "0.7.0"
