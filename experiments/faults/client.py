"""A client of the bench: it commands twin and policy node, and records the true motion, which no fault affects."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped, WrenchStamped
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger

from experiments.faults.safety import History
from refinery.bringup.middleware import ASK_AGAIN_S
from refinery.robot_profile import RobotProfile
from refinery_msgs.action import Insert, Place
from refinery_msgs.msg import PolicyStatus
from refinery_msgs.srv import InjectFault, TwinTrial, TwinTruth
from refinery_ros import qos
from refinery_ros.conversions import seconds

PATIENCE_S = 60.0
"""Longest wait for anything, wall clock; only a failure takes this long."""
_QUESTION_S = 1.0
_POLICY = "/refinery_policy"


class Client:
    """Talks to both nodes; everything happens in the thread that calls.

    Args:
        profile: Names of topics.
        context: Of the bench's ROS domain.
    """

    def __init__(self, profile: RobotProfile, context: rclpy.Context) -> None:
        self.node = rclpy.create_node("faults_client", context=context)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self.node)
        self.history = History(profile.arm_kinematics())
        self.now_s = 0.0
        """Simulated time of the last state heard of, [s]."""
        node = self.node
        node.create_subscription(JointState, "joint_states", self._on_joints, qos.JOINT_STATES)
        node.create_subscription(WrenchStamped, "twin/commanded_wrench", self._on_commanded, qos.RECORDING)
        node.create_subscription(PoseStamped, profile.target_pose_topic, self._on_target, qos.RECORDING)
        self._target_topic = node.resolve_topic_name(profile.target_pose_topic)
        self.status: PolicyStatus | None = None
        """Last status of the policy node."""
        node.create_subscription(PolicyStatus, f"{_POLICY}/status", self._on_status, qos.STATUS)
        self._inject = node.create_client(InjectFault, "twin/inject_fault")
        self._trial = node.create_client(TwinTrial, "twin/trial")
        self._truth = node.create_client(TwinTruth, "twin/truth")
        self._rearm = node.create_client(Trigger, f"{_POLICY}/rearm")
        self._state = node.create_client(GetState, f"{_POLICY}/get_state")
        self._change = node.create_client(ChangeState, f"{_POLICY}/change_state")
        self._hold = node.create_client(Trigger, f"{_POLICY}/hold")
        self._insert = ActionClient(node, Insert, "insert")
        self._place = ActionClient(node, Place, "place")
        self._break = node.create_publisher(String, "/breakable/break", 10)
        self.breaks = 0
        """Callbacks of the policy node that were broken since it was started."""
        node.create_subscription(String, "/breakable/callbacks", self._on_breaks, qos.STATUS)

    def _on_joints(self, message: JointState) -> None:
        self.history.joints.append((seconds(message.header.stamp), np.array(message.position)))

    def _on_commanded(self, message: WrenchStamped) -> None:
        force = message.wrench.force
        self.now_s = seconds(message.header.stamp)
        self.history.commanded_n.append((self.now_s, float(np.linalg.norm([force.x, force.y, force.z]))))

    def _on_target(self, message: PoseStamped) -> None:
        p, q = message.pose.position, message.pose.orientation
        self.history.targets.append((seconds(message.header.stamp), np.array([p.x, p.y, p.z, q.x, q.y, q.z, q.w])))

    def _on_status(self, message: PolicyStatus) -> None:
        self.status = message

    def _on_breaks(self, message: String) -> None:
        self.breaks = int(json.loads(message.data)["breaks"])

    def break_once(self, name: str) -> None:
        """Let a callback of a breakable policy node raise the next time it is called."""
        before = self.breaks
        self._break.publish(String(data=name))
        self.wait_for(lambda: self.breaks != before, f"break of {name}")

    def hold(self) -> Trigger.Response:
        """Ask the policy node to hold."""
        return self.call(self._hold, Trigger.Request())

    def await_placing(self) -> None:
        """Wait until the sampler answers placements.

        An answer may be lost (:data:`refinery.bringup.middleware.ASK_AGAIN_S`); a placement that is refused may be
        asked for as often as it takes.
        """
        self.wait_for(self._place.server_is_ready, "server of place")
        end = time.monotonic() + PATIENCE_S
        while True:
            answer = self._place.send_goal_async(Place.Goal(task="none, this only asks for an answer"))
            until = min(end, time.monotonic() + ASK_AGAIN_S)
            while not answer.done() and time.monotonic() < until:
                self.spin()
            if answer.done():
                self.wait_for(answer.result().get_result_async().done, "refusal of a placement")
                return
            assert time.monotonic() < end, f"the sampler answers no placement within {PATIENCE_S:.0f} s"

    def place(self, goal: Place.Goal) -> Any:
        """Send a placement; returns its handle once accepted."""
        accepted = self._place.send_goal_async(goal)
        self.wait_for(accepted.done, "answer to the placement")
        return accepted.result()

    def ready(self) -> bool:
        """Return whether the policy node is active, states arrive and insertions are served."""
        if not (self._state.service_is_ready() and self._insert.server_is_ready() and self.history.joints):
            return False
        answer = self._state.call_async(GetState.Request())
        # Not for long: a question that went to a node that is dead is never answered.
        end = time.monotonic() + _QUESTION_S
        while not answer.done() and time.monotonic() < end:
            self.spin()
        return bool(self.now_s) and answer.done() and answer.result().current_state.id == State.PRIMARY_STATE_ACTIVE

    def target_publishers(self) -> int:
        """Count the publishers of the arm's target; dead nodes count until the graph drops them."""
        return int(self.node.count_publishers(self._target_topic))

    def spin(self, wall_s: float = 0.02) -> None:
        """Process messages for a while, at least those that are waiting."""
        self._executor.spin_once(timeout_sec=wall_s)

    def wait_for(self, condition: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
        """Spin until the condition is true, and return its value; fail naming ``what``."""
        end = time.monotonic() + patience_s
        while not (value := condition()):
            assert time.monotonic() < end, f"no {what} after {patience_s:.0f} s"
            self.spin()
        return value

    def wait_until(self, time_s: float) -> None:
        """Spin until a simulated time."""
        self.wait_for(lambda: self.now_s >= time_s, f"simulated time {time_s:.3f} s (it is {self.now_s:.3f} s)")

    def call(self, client: Any, request: Any) -> Any:
        """Call a service and wait for its answer."""
        self.wait_for(client.service_is_ready, f"service {client.srv_name}")
        future = client.call_async(request)
        self.wait_for(future.done, f"answer from {client.srv_name}")
        return future.result()

    def trial(self, seed: int) -> None:
        """Set the cell up anew; all faults end. Returns once both state and estimate of the new cell were heard."""
        answer = self.call(self._trial, TwinTrial.Request(seed=seed))
        assert answer.success, answer.message
        self.wait_until(self.now_s + 0.1)
        self.history.clear()

    def inject(self, kind: str, stream: str = "", **numbers: float) -> float:
        """Plan a fault (end all with an empty kind); returns the simulated time at which it begins, [s]."""
        answer = self.call(self._inject, InjectFault.Request(kind=kind, stream=stream, **numbers))
        assert answer.success, answer.message
        return float(answer.begins_s)

    def truth(self) -> TwinTruth.Response:
        """Return the twin's ground truth of the trial."""
        return self.call(self._truth, TwinTruth.Request())

    def rearm(self) -> Trigger.Response:
        """Ask the policy node to re-arm after a stop."""
        return self.call(self._rearm, Trigger.Request())

    def transition(self, name: str) -> bool:
        """Ask for a lifecycle transition: activate or deactivate."""
        ids = {"activate": Transition.TRANSITION_ACTIVATE, "deactivate": Transition.TRANSITION_DEACTIVATE}
        return bool(self.call(self._change, ChangeState.Request(transition=Transition(id=ids[name]))).success)

    def send(self, **goal: Any) -> Any:
        """Send an insertion; returns the future of its result."""
        self.wait_for(self._insert.server_is_ready, "action server")
        accepted = self._insert.send_goal_async(Insert.Goal(**goal))
        self.wait_for(accepted.done, "answer to the goal")
        return accepted.result().get_result_async()

    def insert(self, **goal: Any) -> Insert.Result:
        """Run an insertion to its end."""
        future = self.send(**goal)
        self.wait_for(future.done, "result")
        return future.result().result

    def close(self) -> None:
        """End the client."""
        self._executor.shutdown()
        self._insert.destroy()
        self._place.destroy()
        self.node.destroy_node()
