"""What the shipped layouts show is what is published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from refinery import strict_yaml
from refinery.bringup.node_names import SAMPLER
from refinery.robot_profile import load_robot_profile
from refinery_sampler_node.display.markers import NAMESPACES

CONFIG = Path(__file__).parents[4] / "config"


@pytest.fixture(scope="module")
def published() -> set[str]:
    profiles = [load_robot_profile(name) for name in ("twin", "fr3", "panda")]
    topics = {topic for each in profiles for topic in (each.pose_topic, each.socket_pose_topic, each.joint_state_topic)}
    own = {f"/{SAMPLER}/markers", f"/{SAMPLER}/status", "/robot_description"}
    return {f"/{topic}" for topic in topics} | own


def test_foxglove(published: set[str]) -> None:
    layout = json.loads((CONFIG / "foxglove/placement.json").read_text())
    panels = layout["configById"]
    scene = panels["3D!placement"]
    shown = set(scene["topics"]) | {each["topic"] for each in scene["layers"].values() if "topic" in each}
    shown |= {panels["RawMessages!status"]["topicPath"]}
    shown |= {path["value"].split(".")[0] for path in panels["Plot!joints"]["paths"]}
    assert shown <= published and f"/{SAMPLER}/markers" in shown
    assert panels["CallService!sample"]["serviceName"] == "/sample_init"

    def leaves(node: Any) -> set[str]:
        return {node} if isinstance(node, str) else leaves(node["first"]) | leaves(node["second"])

    assert leaves(layout["layout"]) == set(panels)


def test_rviz(published: set[str]) -> None:
    layout = strict_yaml.read(CONFIG / "rviz/placement.rviz")["Visualization Manager"]
    topics = {
        display["Name"]: display.get("Topic", display.get("Description Topic"))
        for display in layout["Displays"]
        if "Topic" in display or "Description Topic" in display
    }
    assert {each["Value"] for each in topics.values()} <= published
    assert topics["Tool"]["Reliability Policy"] == "Best Effort"
    assert topics["Initial states"]["Durability Policy"] == "Transient Local"
    (markers,) = [each for each in layout["Displays"] if each["Name"] == "Initial states"]
    assert set(markers["Namespaces"]) == set(NAMESPACES)
    assert layout["Global Options"]["Fixed Frame"] == load_robot_profile("twin").base_frame
