"""The refinement loop: evaluate, model success, acquire, fine-tune, fit the mixture."""
