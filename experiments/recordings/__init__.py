"""Evidence for the recordings: they replay, they survive a kill at any moment, and a full disk harms nothing else."""
