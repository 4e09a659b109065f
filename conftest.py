"""Settings for all tests: no deadlines, since none may depend on how busy the machine is, and one thread for BLAS."""

import os
from pathlib import Path

from hypothesis import settings

settings.register_profile("refinery", deadline=None)
settings.load_profile("refinery")

# Before numpy is imported, and for all that tests start. Tests run beside each other; threads of BLAS that wait for a
# core that others use took four times as long for the same matrices.
for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

# Before ROS is entered: see the file.
os.environ.setdefault("FASTRTPS_DEFAULT_PROFILES_FILE", str(Path(__file__).parent / "tests" / "fastdds.xml"))
