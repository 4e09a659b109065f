"""Commands on task files: ``refinery task`` and ``refinery check``."""
