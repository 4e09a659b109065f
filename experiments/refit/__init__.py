"""Evidence for the refit: held-out trials in a cell that differs from training."""
