"""Where runs come from: the contract (port) and one folder per system."""
