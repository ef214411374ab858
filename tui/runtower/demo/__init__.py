"""Makes the demo project; runs as a process of its own."""
