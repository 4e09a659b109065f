"""``refinery sample``: its table, and its way through a service that drops an answer."""

from types import SimpleNamespace

import pytest
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future

from refinery.cli import sample
from refinery.cli.sample import _table
from refinery.errors import ConfigError, NotReadyError
from refinery.initial_state import THETA_NAMES
from refinery_msgs.srv import SampleInit
from refinery_ros.testing.graph import own_domain, spinning_node


def response(*rows):
    return SimpleNamespace(
        theta_names=list(THETA_NAMES),
        theta=[value for row in rows for value in row],
        success_probability=[0.9] * len(rows),
        success_low=[0.8] * len(rows),
        success_high=[1.0] * len(rows),
        task="peg",
        seed_used=5,
        candidates=256,
        rejected=3,
    )


def test_what_varies_is_shown_in_its_unit():
    first, second = [0.001, 0, 0.035, 0, 0, 0.5, 0.002, 0, -0.1], [-0.002, 0, 0.035, 0, 0, 0, 0, 0, 0.1]
    titles, one, two, last = _table(response(first, second))
    for title in ("x [mm]", "z [mm]", "yaw [deg]", "grasp_x [mm]", "grasp_pitch [deg]", "predicted success"):
        assert title in titles
    assert "roll" not in titles and "grasp_z" not in titles
    assert one.split()[:5] == ["1.00", "35.00", "28.65", "2.00", "-5.73"]
    assert two.split()[:5] == ["-2.00", "35.00", "0.00", "0.00", "5.73"]
    assert titles.index("predicted") == one.index("90.0 %") == two.index("90.0 %")
    assert "seed 5" in last


class Forgetful:
    """A sampler whose first answers get lost, as they do while discovery is under way.

    Args:
        node: Gets the service.
        lost: How many.
        name: Of the service.
    """

    def __init__(self, node: Node, lost: int, name: str = "/sample_init") -> None:
        self.asked, self._lost = 0, lost
        # Reentrant: the question that is never answered does not keep the next one waiting.
        node.create_service(SampleInit, name, self._answer, callback_group=ReentrantCallbackGroup())

    async def _answer(self, request: SampleInit.Request, answer: SampleInit.Response) -> SampleInit.Response:
        self.asked += 1
        if self.asked <= self._lost:
            await Future()
        answer.success, answer.task, answer.seed_used = True, "peg", request.seed
        answer.theta_names = list(THETA_NAMES)
        return answer


@pytest.fixture
def forgetful(request):
    with own_domain(), spinning_node("refinery_sampler") as node:
        yield Forgetful(node, request.param)


@pytest.mark.ros
@pytest.mark.parametrize("forgetful", [2], indirect=True)
def test_a_lost_answer_is_asked_for_again(forgetful, monkeypatch, capsys):
    monkeypatch.setattr(sample, "ASK_AGAIN_S", 0.5)
    assert sample.main(["--seed", "7", "--timeout-s", "60"]) == 0
    assert forgetful.asked == 3
    assert "task peg, seed 7" in capsys.readouterr().out


@pytest.mark.ros
@pytest.mark.parametrize("forgetful", [1000], indirect=True)
def test_who_never_answers_is_named(forgetful, monkeypatch):
    monkeypatch.setattr(sample, "ASK_AGAIN_S", 0.5)
    with pytest.raises(NotReadyError, match="/sample_init did not answer within 3 s; see the sampler's log"):
        sample.main(["--timeout-s", "3"])
    assert forgetful.asked > 1


@pytest.mark.ros
def test_a_cell_in_a_namespace_is_reached_by_it_and_pointed_at_without(capsys):
    with own_domain(), spinning_node("refinery_sampler") as node:
        Forgetful(node, 0, "/left/sample_init")
        assert sample.main(["--namespace", "/left", "--timeout-s", "60"]) == 0
        assert "task peg" in capsys.readouterr().out
        with pytest.raises(NotReadyError, match=r"/sample_init .*; /left/sample_init is there: --namespace /left"):
            sample.main(["--timeout-s", "6"])
        with pytest.raises(ConfigError, match="leading slash"):
            sample.SampleArgs(namespace="left")
