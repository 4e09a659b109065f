"""Which nodes run for which robot, with which parameters."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refinery.bringup.bundle_choice import choose_bundle
from refinery.bringup.node_names import ASSEMBLY, MOVE_GROUP, POLICY, SAMPLER, TWIN
from refinery.bringup.node_spec import NodeSpec, put_under, with_overrides
from refinery.bundled_task import check_same_task, load_bundled_task, named_task
from refinery.errors import ConfigError
from refinery.paths import config_file
from refinery.robot_profile import RobotProfile, load_robot_profile
from refinery.sequence.bundles import bundled_tasks, shipped_bundles
from refinery.sequence.sequence import load_sequence


def describe_bringup(
    robot: str,
    *,
    bundle: Path | str | None = None,
    task: str | None = None,
    seed: int = 0,
    realtime_factor: float | None = None,
    namespace: str = "",
    sequence: str | None = None,
    bundles: Path | str | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> list[NodeSpec]:
    """Describe the nodes of a robot cell, in the order to start them (stop them in reverse).

    Args:
        robot: A profile in ``config/robots`` or a path to one.
        bundle: Bundle directory; for the twin, the one ``make demo`` made if none is given.
        task: A name in ``config/tasks`` or a path, to be sure: it must be the bundle's task, which is what
            runs.
        seed: Seed of the twin's first trial and of its planner, >= 0.
        realtime_factor: Simulated seconds per second for the twin, [0, 100], 0 is as fast as it can; the profile's
            if none.
        namespace: Put everything under it, empty or with a leading slash.
        sequence: A name in ``config/sequences`` or a path: the cell assembles it, with ``bundles`` and no ``bundle``.
        bundles: Folder of its bundles, each named as its task or as the step says; None in a simulated cell: those
            that are shipped.
        overrides: Parameters by ``node.parameter``, plain or :class:`refinery.parameters.Typed`, over everything else.

    Returns:
        The nodes: where the cell is simulated the twin and its MoveIt, then sampler and policy, and assembly for a
        sequence.

    Raises:
        RefineryError: Overrides are for no parameter or do not fit it; the message names all of them.
        ConfigError: Profile, task or bundle are not there or do not fit; the message says which.
    """
    path = config_file("robots", robot).resolve()
    profile = load_robot_profile(path)
    chain = None if sequence is None else _chain(sequence, bundles, bundle or task, simulated=profile.twin is not None)
    chosen = _one_bundle(profile, bundle, task) if chain is None else chain.bundle
    specs = []
    if profile.twin:
        own: dict[str, Any] = {"task": chosen} if chain is None else chain.parameters
        specs = [_twin(profile, path, own, seed, realtime_factor), _move_group(path, seed)]
    if not profile.twin and realtime_factor is not None:
        raise ConfigError("bring-up", "realtime_factor", f"none: {profile.name} is a real robot", realtime_factor)
    shared = {
        "bundle": chosen,
        "robot_profile": str(path),
        "autostart": True,
        "use_sim_time": profile.use_sim_time,
    }
    specs += [
        NodeSpec(
            package="refinery_sampler_node",
            executable="sampler_node",
            name=SAMPLER,
            parameters=shared,
            declaration="refinery_sampler_node.parameters:SamplerParameters",
            lifecycle=True,
        ),
        NodeSpec(
            package="refinery_policy_node",
            executable="policy_node",
            name=POLICY,
            parameters=shared,
            declaration="refinery_policy_node.parameters:PolicyParameters",
            lifecycle=True,
        ),
    ]
    if chain is not None:
        assembly = {name: value for name, value in shared.items() if name != "bundle"} | chain.parameters
        specs.append(
            NodeSpec(
                package="refinery_assembly_node",
                executable="assembly_node",
                name=ASSEMBLY,
                parameters=assembly,
                declaration="refinery_assembly_node.parameters:AssemblyParameters",
                lifecycle=True,
            )
        )
    return with_overrides([put_under(spec, namespace) for spec in specs], overrides or {})


@dataclass(frozen=True, kw_only=True)
class _Chain:
    """What a sequence needs instead of one bundle."""

    bundle: str
    """Parameter ``bundle`` of sampler and policy node: all bundles."""
    parameters: dict[str, Any]
    """Parameters that say which sequence."""


def _chain(sequence: str, bundles: Path | str | None, other: object, *, simulated: bool) -> _Chain:
    path = config_file("sequences", sequence).resolve()
    if other:
        raise ConfigError("bring-up", "bundle", "none beside a sequence, which names its own", str(other))
    if not bundles and not simulated:
        raise ConfigError("bring-up", "bundles", f"the folder of the bundles of {path.stem}", "none", "name it")
    folder = Path(bundles).expanduser().resolve() if bundles else shipped_bundles()
    paths = bundled_tasks(load_sequence(path), folder)
    parameters = {"sequence": str(path), "bundles": str(folder)}
    return _Chain(bundle=os.pathsep.join(map(str, paths)), parameters=parameters)


def _one_bundle(profile: RobotProfile, bundle: Path | str | None, task: str | None) -> str:
    chosen = choose_bundle(bundle, simulated=profile.twin is not None)
    own = load_bundled_task(chosen)
    if task:
        check_same_task(named_task(task), own, "bring-up", f"the bundle {chosen}")
    return str(chosen)


def _twin(
    profile: RobotProfile, path: Path, simulated: Mapping[str, Any], seed: int, realtime_factor: float | None
) -> NodeSpec:
    """Describe the twin, which publishes the time and therefore does not read it from /clock."""
    settings = profile.twin
    assert settings is not None
    parameters = {
        "robot_profile": str(path),
        # The very task of the bundle, not a file of the same name, which may have changed since.
        **simulated,
        "seed": seed,
        "realtime_factor": float(settings.realtime_factor if realtime_factor is None else realtime_factor),
        "state_rate_hz": settings.state_rate_hz,
        "use_sim_time": False,
    }
    return NodeSpec(
        package="refinery_twin",
        executable="twin_node",
        name=TWIN,
        parameters=parameters,
        declaration="refinery_twin.parameters:TwinParameters",
    )


def _move_group(path: Path, seed: int) -> NodeSpec:
    """Describe the twin's ``move_group``; that of a real robot is started with its driver."""
    parameters = {"robot_profile": str(path), "seed": seed, "use_sim_time": True}
    return NodeSpec(
        package="refinery_twin",
        executable="move_group_node",
        name=MOVE_GROUP,
        parameters=parameters,
        declaration="refinery_twin.move_group.parameters:MoveGroupParameters",
    )
