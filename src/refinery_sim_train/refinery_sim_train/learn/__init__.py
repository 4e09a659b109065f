"""Learning: the scripted expert, its imitation, and PPO."""
