"""The ``refinery`` command."""
