"""What runs: jobs of this machine and of a cluster, its GPUs and processes, and what joins them to runs."""
