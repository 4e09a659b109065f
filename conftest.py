"""Settings for all tests: no deadlines, since no test may depend on how busy the machine is."""

from hypothesis import settings

settings.register_profile("refinery", deadline=None)
settings.load_profile("refinery")
