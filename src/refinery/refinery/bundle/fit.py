"""Whether a policy may run on a robot: rates, gains, forces, speeds and frames of its task against the profile."""

from __future__ import annotations

from collections.abc import Iterator

from refinery.bundle.files import MANIFEST
from refinery.bundle.metadata import FRAMES
from refinery.bundle.reader import Bundle
from refinery.errors import BundleError
from refinery.robot_fit import misfits
from refinery.robot_profile import RobotProfile


def check_fit(bundle: Bundle, profile: RobotProfile) -> None:
    """Check that a robot can do what the policy of a bundle was trained to ask of it.

    Only what holds wherever the arm stands is compared; whether it reaches the socket is seen when it gets there.

    Args:
        bundle: A checked bundle.
        profile: The robot.

    Raises:
        BundleError: Naming both files and, for every misfit, what was expected and what came.
        ConfigError: The controllers' file that the profile names cannot be read.
    """
    problems = [*_trained(bundle), *misfits(bundle.task, profile), *_frames(bundle, profile)]
    if problems:
        where = profile.file or f"robot profile {profile.name!r}"
        raise BundleError(
            f"{bundle.path / MANIFEST} does not fit {where}: {'; '.join(problems)}. "
            "Refine the task for this robot, or correct the profile if the robot can do more"
        )


def _trained(bundle: Bundle) -> Iterator[str]:
    """A policy under other gains than it was trained with is another policy; whoever wants that has to say so."""
    if bundle.other_gains and not bundle.other_gains_accepted:
        others = "; ".join(bundle.other_gains)
        yield f"{bundle.policy_path.name}: {others}, which nobody accepted when it was exported (--accept-other-gains)"


def _frames(bundle: Bundle, profile: RobotProfile) -> Iterator[str]:
    """A policy that is tied to one robot's frames says so; others run in any."""
    for name, wanted in bundle.metadata.get(FRAMES, {}).items():
        got = getattr(profile.frames, name)
        if wanted != got:
            yield f"{bundle.policy_path.name}: {FRAMES}.{name}: expected {got!r} (frames.{name}), got {wanted!r}"
