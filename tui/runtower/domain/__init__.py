"""What things are: pure, frozen, no input or output."""
