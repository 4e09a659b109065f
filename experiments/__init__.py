"""Programs that produce evidence (measurements, comparisons): run from the repository, never installed on a robot."""
