"""What is re-declared in interfaces/ is, field by field, what the real packages of ROS 2 Jazzy put on the wire.

The hash of a type (RIHS01) covers the names, types and order of its fields and of all types it nests. A package that is
really installed is checked against the same hashes.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest
from ament_index_python import get_package_share_directory
from controller_manager_msgs.srv import SwitchController
from franka_msgs.msg import FrankaRobotState
from rclpy.type_support import check_for_type_support

INTERFACES = Path(__file__).resolve().parents[2] / "interfaces"
DECLARED = sorted(
    f"{path.parents[1].name}/{path.parent.name}/{path.stem}"
    for kind in ("msg", "srv", "action")
    for path in INTERFACES.glob(f"*/{kind}/*.{kind}")
)
GOLDEN = json.loads(Path(__file__).with_name("rihs01_jazzy.json").read_text())["rihs01"]


def installed_hashes(name: str) -> dict[str, str]:
    """Return the hash of an installed type and of the types that belong to it, such as a service's request."""
    package, kind, short = name.split("/")
    file = Path(get_package_share_directory(package)) / kind / f"{short}.json"
    hashes = {entry["type_name"]: entry["hash_string"] for entry in json.loads(file.read_text())["type_hashes"]}
    # The hash of a service or action covers its events, so these need none of their own.
    parts = {other for other in hashes if other.startswith(f"{name}_") and not other.endswith("_Event")}
    return {other: hashes[other] for other in {name, *parts}}


@pytest.mark.parametrize("name", DECLARED)
def test_a_type_has_the_hash_of_the_real_one(name):
    assert name in GOLDEN, f"{name} is declared, but rihs01_jazzy.json has no hash of the real one"
    assert installed_hashes(name) == {key: GOLDEN[key] for key in GOLDEN if key == name or key.startswith(f"{name}_")}


def test_every_hash_belongs_to_a_declared_type():
    assert set(GOLDEN) == {part for name in DECLARED for part in installed_hashes(name)}


@pytest.mark.parametrize("name", DECLARED)
def test_a_type_can_be_used_from_python(name):
    package, kind, short = name.split("/")
    check_for_type_support(getattr(import_module(f"{package}.{kind}"), short))


def test_all_that_is_declared_was_found():
    files = {path for path in INTERFACES.rglob("*") if path.suffix in (".msg", ".srv", ".action", ".idl")}
    assert len(files) == len(DECLARED) > 0


def test_constants_which_no_hash_covers():
    request = SwitchController.Request
    assert [request.BEST_EFFORT, request.STRICT, request.AUTO, request.FORCE_AUTO] == [1, 2, 3, 4]
    modes = ("OTHER", "IDLE", "MOVE", "GUIDING", "REFLEX", "USER_STOPPED", "AUTOMATIC_ERROR_RECOVERY")
    assert [getattr(FrankaRobotState, f"ROBOT_MODE_{mode}") for mode in modes] == [0, 1, 2, 3, 4, 5, 6]
