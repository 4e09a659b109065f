"""The same episodes in the training environment and on the twin."""
