"""Offline refinement: environments, PPO, success model, mixture, evaluation, export."""
