"""The study: does refinement work, and would uniform fine-tuning have done the same? (``make study``)."""
