"""The twin's outgoing messages: made once and filled in place, because they go out hundreds of times a second."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Time
from franka_msgs.msg import FrankaRobotState
from geometry_msgs.msg import PoseStamped, WrenchStamped
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState

from refinery.rotations import Poses
from refinery_ros.conversions import pose_message
from refinery_sim.plant import Plant


class StateMessages:
    """Messages that describe the plant, all sharing one time stamp.

    Args:
        base_frame: Frame of poses and wrenches.
        joint_names: Seven names, joints 1..7.
    """

    def __init__(self, base_frame: str, joint_names: Sequence[str]) -> None:
        self.stamp = Time()
        """Simulated time of the present state, shared by all messages."""
        self.clock = Clock(clock=self.stamp)
        """Simulated time for /clock."""
        self.tool = PoseStamped()
        """Measured tool pose."""
        self.socket = PoseStamped()
        """Socket estimate."""
        self.wrench = WrenchStamped()
        """Force of the world on the tool, base axes, torque about the tool."""
        self.joints = JointState(name=list(joint_names))
        """Measured joint states."""
        self.robot = FrankaRobotState(control_command_success_rate=1.0)
        """The robot's own state: mode, errors, joints, tool pose and wrench; the rest stays zero."""
        self.robot.measured_joint_state, self.robot.o_t_ee, self.robot.o_f_ext_hat_k = (
            self.joints,
            self.tool,
            self.wrench,
        )
        self.commanded = WrenchStamped()
        """Force that the impedance controller's spring asks for, base axes; no torque."""
        for message in (self.tool, self.socket, self.wrench, self.robot, self.commanded):
            message.header.frame_id = base_frame
        for message in (self.tool, self.socket, self.wrench, self.joints, self.robot, self.commanded):
            message.header.stamp = self.stamp
        self._quat_wxyz = np.empty(4)

    def set_time(self, steps: int) -> None:
        """Stamp all messages with a number of milliseconds."""
        self.stamp.sec, rest = divmod(steps, 1000)
        self.stamp.nanosec = rest * 1_000_000

    def fill(self, plant: Plant) -> None:
        """Write the plant's state into :attr:`tool`, :attr:`joints` and :attr:`wrench`."""
        position, orientation = self.tool.pose.position, self.tool.pose.orientation
        position.x, position.y, position.z = plant.tool_position_m.tolist()
        plant.tool_quat_wxyz(self._quat_wxyz)
        orientation.w, orientation.x, orientation.y, orientation.z = self._quat_wxyz.tolist()
        self.joints.position = plant.joints_rad.tolist()
        self.joints.velocity = plant.joint_velocities_rad_s.tolist()
        self.joints.effort = plant.joint_efforts_nm.tolist()
        force, torque = self.wrench.wrench.force, self.wrench.wrench.torque
        force.x, force.y, force.z, torque.x, torque.y, torque.z = plant.external_wrench.tolist()

    def fill_commanded(self, plant: Plant) -> None:
        """Write the commanded force into :attr:`commanded`."""
        force = self.commanded.wrench.force
        force.x, force.y, force.z = plant.commanded_force_n.tolist()

    def fill_robot(self, plant: Plant, mode: int) -> None:
        """Write the robot's mode into :attr:`robot`, and what follows from it."""
        self.robot.time, self.robot.robot_mode = plant.time_s, mode
        self.robot.current_errors.cartesian_reflex = mode == FrankaRobotState.ROBOT_MODE_REFLEX

    def fill_socket(self, estimate: Poses) -> None:
        """Write a socket estimate (base frame, batch of one) into :attr:`socket`."""
        self.socket.pose = pose_message(estimate)
