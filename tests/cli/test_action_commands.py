"""``refinery place`` and ``refinery insert`` against servers that lose answers, reject and cancel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.action import ActionClient, ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future

from refinery.cli import action_goal, insert, place
from refinery.cli.main import main
from refinery.errors import NotReadyError
from refinery_msgs.action import Insert, Place
from refinery_msgs.msg import Diagnosis, Outcome
from refinery_ros.testing.graph import own_domain, spinning_node

pytestmark = pytest.mark.ros


class Cell:
    """Servers of both actions.

    Args:
        node: Gets them.
    """

    def __init__(self, node: Node) -> None:
        self.runs, self.outcome, self.reject = 0, Outcome.SUCCESS, False
        self.goals: list[Place.Goal | Insert.Goal] = []
        self.cancelled = Future()
        group = ReentrantCallbackGroup()
        for kind, name in ((Place, "place"), (Insert, "insert")):
            ActionServer(
                node,
                kind,
                name,
                self._place if kind is Place else self._insert,
                callback_group=group,
                goal_callback=lambda goal: GoalResponse.REJECT if self.reject else GoalResponse.ACCEPT,
                cancel_callback=self._on_cancel,
            )

    def _place(self, goal: ServerGoalHandle) -> Place.Result:
        self.goals.append(goal.request)
        goal.publish_feedback(Place.Feedback(progress=0.5, phase="moving"))
        goal.succeed()
        result = Place.Result(outcome=Outcome(value=self.outcome, message="arrived"), success_probability=0.9)
        result.theta, result.theta_names = [0.001, 0.2], ["x", "yaw"]
        return result

    def _on_cancel(self, _goal: ServerGoalHandle) -> CancelResponse:
        self.cancelled.set_result(True)
        return CancelResponse.ACCEPT

    async def _insert(self, goal: ServerGoalHandle) -> Insert.Result:
        self.goals.append(goal.request)
        self.runs += 1
        outcome = Outcome(value=self.outcome, message="not seated: the plug stands on the rim")
        if goal.request.timeout_s > 0:
            await self.cancelled
            outcome = Outcome(value=Outcome.CANCELLED, message="the client cancelled the insertion")
            goal.canceled()
        else:
            goal.abort()
        return Insert.Result(outcome=outcome, diagnosis=Diagnosis(place=Diagnosis.ON_RIM))


@pytest.fixture(scope="module")
def cell() -> Iterator[Cell]:
    with own_domain(), spinning_node("cell") as node:
        yield Cell(node)


@pytest.fixture(autouse=True)
def as_new(cell: Cell) -> None:
    cell.runs, cell.outcome, cell.reject = 0, Outcome.SUCCESS, False
    cell.goals.clear()


def test_a_placement_is_told_with_its_start(cell, capsys):
    assert main(["place", "--mode", "uniform", "--seed", "7", "--wait-s", "60"]) == 0
    assert (cell.goals[0].mode, cell.goals[0].seed) == ("uniform", 7)
    out, err = capsys.readouterr()
    assert "arrived" in out and "x 1.00 mm, yaw 11.46 deg" in out and "predicted success 90.0 %" in out
    assert err.startswith("waiting for /place")


def test_a_goal_waits_until_the_node_is_active(capsys):
    """What a user types right after ``refinery up``: the node is there, and still loads its bundle."""
    states = iter((State.PRIMARY_STATE_UNCONFIGURED, State.TRANSITION_STATE_CONFIGURING, State.PRIMARY_STATE_ACTIVE))
    asked = []

    def state_of(_request, response):
        asked.append(next(states))
        response.current_state.id = asked[-1]
        return response

    with own_domain(), spinning_node("refinery_sampler") as node:
        cell = Cell(node)
        node.create_service(GetState, "refinery_sampler/get_state", state_of)
        assert place.main(["--wait-s", "60"]) == 0
    assert len(asked) == 3 and cell.goals
    assert "waiting until refinery_sampler is active" in capsys.readouterr().err


def test_a_node_that_stays_inactive_gets_the_goal_and_says_so():
    with own_domain(), spinning_node("refinery_sampler") as node:
        cell = Cell(node)
        node.create_service(GetState, "refinery_sampler/get_state", lambda _request, response: response)
        cell.reject = True
        with pytest.raises(NotReadyError, match=r"/place"):
            place.main(["--wait-s", "3"])


def test_an_insertion_that_failed_says_why_and_exits_with_1(cell, capsys):
    cell.outcome = Outcome.FAILED
    assert insert.main(["--trial-id", "3", "--wait-s", "60"]) == 1
    assert cell.goals[0].trial_id == 3
    assert "the plug stands on the rim" in capsys.readouterr().out


def test_a_goal_whose_answer_was_lost_is_sent_again_and_runs_once(cell, monkeypatch):
    send, sent = ActionClient.send_goal_async, []

    def losing(client, goal, **options):
        sent.append(send(client, goal, **options))
        return sent[-1] if len(sent) > 1 else Future()

    monkeypatch.setattr(ActionClient, "send_goal_async", losing)
    monkeypatch.setattr(action_goal, "ASK_AGAIN_S", 0.5)
    assert insert.main(["--wait-s", "60"]) == 0
    assert cell.runs == 1 and len(sent) == 2


def test_a_rejected_goal_is_an_error(cell):
    cell.reject = True
    with pytest.raises(NotReadyError, match="/insert rejected the goal"):
        insert.main(["--wait-s", "60"])


def test_who_is_not_there_is_named(cell, capsys):
    with pytest.raises(NotReadyError, match=r"no action /left/place within 1 s"):
        place.main(["--namespace", "/left", "--wait-s", "1"])


def test_ctrl_c_cancels_and_the_result_is_still_told(cell, monkeypatch, capsys):
    spin, interrupted = action_goal.GoalRun._spin, []

    def interrupting(run, future, timeout_s):
        spin(run, future, min(timeout_s, 0.5))
        if cell.runs and not interrupted:
            interrupted.append(True)
            raise KeyboardInterrupt

    monkeypatch.setattr(action_goal.GoalRun, "_spin", interrupting)
    assert insert.main(["--timeout-s", "60", "--wait-s", "60"]) == 130
    assert "the client cancelled the insertion" in capsys.readouterr().out
