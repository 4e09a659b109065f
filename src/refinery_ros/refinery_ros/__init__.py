"""What every Refinery node shares."""
