"""A batch of cells in Newton under Isaac Lab: states imposed on the solver's bodies, the impedance law, snapshots."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np
import torch
import warp as wp
from isaaclab.assets import Articulation
from isaaclab_newton.physics import NewtonManager
from numpy.typing import NDArray

from refinery.rotations import Array, Poses, wxyz_from_xyzw
from refinery.task import Task
from refinery_sim_train.arrays import Arrays
from refinery_sim_train.backends.impedance import Impedance
from refinery_sim_train.backends.physics import SUBSTEPS


class NewtonCells:
    """The cells of a running simulation; everything of :class:`refinery_sim_train.backends.physics.Physics` but a step.

    Args:
        task: The insertion task.
        model: The MuJoCo model that the scene was made from.
        robot: The articulation of arm, hand and plug.
    """

    def __init__(self, task: Task, model: mujoco.MjModel, robot: Articulation) -> None:
        self.count, self._robot = robot.num_instances, robot
        newton, solver = NewtonManager.get_model(), NewtonManager._solver
        self._newton, self._solver = newton, solver
        bodies = [label.rsplit("/", 1)[-1] for label in newton.body_label]
        self._plug = bodies.index("plug")
        self._plate = bodies.index("socket")
        joints = newton.joint_child.numpy()[: len(newton.joint_child) // self.count]
        self._held_joint, self._plate_joint = (
            int(np.flatnonzero(joints == body)[0]) for body in (self._plug, self._plate)
        )
        shape_bodies = newton.shape_body.numpy()[: newton.shape_count // self.count]
        self._plug_shapes = np.flatnonzero(shape_bodies == self._plug)
        of_solver = solver.mjc_body_to_newton.numpy()[0].tolist()
        self._plug_body, hand = of_solver.index(self._plug), of_solver.index(bodies.index("hand"))
        self._mocap = int(solver.mj_model.body_mocapid[of_solver.index(self._plate)])
        geoms = solver.mjc_geom_to_newton_shape.numpy()[0].tolist()
        self._plug_geoms = [geoms.index(shape) for shape in self._plug_shapes]
        self.impedance = Impedance(
            self.count,
            body=hand,
            root=int(solver.mjw_model.body_rootid.numpy()[hand]),
            body_from_tool_m=model.site_pos[model.site("tool").id],
            stiffness=np.array([*task.control.stiffness[:3], *[task.control.turning_stiffness] * 3]),
            damping=np.asarray(task.control.damping),
        )
        """The law that moves the arms."""
        solver.mjw_model.callback.control = self.impedance
        state, solved, data = NewtonManager.get_state_0(), solver.mjw_model, solver.mjw_data
        self._arrays = {
            "qpos": state.joint_q,
            "qvel": state.joint_qd,
            "body_q": state.body_q,
            "body_qd": state.body_qd,
            "joint_X_p": newton.joint_X_p,
            "shape_material_mu": newton.shape_material_mu,
            "qacc_warmstart": data.qacc_warmstart,
            "mocap_pos": data.mocap_pos,
            "mocap_quat": data.mocap_quat,
            "body_pos": solved.body_pos,
            "body_quat": solved.body_quat,
            "geom_friction": solved.geom_friction,
            "target_pos": self.impedance.target_pos,
            "target_quat": self.impedance.target_quat,
        }

    def impose(
        self, rows: NDArray[np.intp], joints_rad: Array, socket: Poses, hand_from_plug: Poses, friction: Array
    ) -> None:
        """Put cells at rest into a state."""
        self._write("qpos", rows, joints_rad)
        self._write("qvel", rows, 0.0)
        self._write("qacc_warmstart", rows, 0.0)
        # Newton's side and the solver's own: the grasp reaches the latter by no notification.
        plate, held = (np.hstack([pose.pos_m, pose.quat_xyzw]) for pose in (socket, hand_from_plug))
        self._write("joint_X_p", (rows, self._plate_joint), plate)
        self._write("joint_X_p", (rows, self._held_joint), held)
        self._write("body_q", (rows, self._plate), plate)
        self._write("mocap_pos", (rows, self._mocap), socket.pos_m)
        self._write("mocap_quat", (rows, self._mocap), wxyz_from_xyzw(socket.quat_xyzw))
        self._write("body_pos", (rows, self._plug_body), hand_from_plug.pos_m)
        self._write("body_quat", (rows, self._plug_body), wxyz_from_xyzw(hand_from_plug.quat_xyzw))
        self._write("shape_material_mu", (rows[:, None], self._plug_shapes), friction[:, None])
        self._write("geom_friction", (rows[:, None], self._plug_geoms, 0), friction[:, None])
        index = torch.as_tensor(rows, dtype=torch.int32, device=self._robot.device)
        posture = torch.as_tensor(joints_rad, dtype=torch.float32, device=self._robot.device)
        self._robot.set_joint_position_target_index(target=posture, env_ids=index)
        # Kinematics of these cells only: without the indices all of them would lose the solver's warm start.
        ids = self._robot.root_view.articulation_ids
        NewtonManager.invalidate_fk(env_ids=wp.from_torch(index, dtype=wp.int32), articulation_ids=ids)

    def command(self, target: Poses, rows: NDArray[np.intp] | slice = slice(None)) -> None:
        """Set the tool poses that the impedance law pulls to."""
        self._write("target_pos", rows, target.pos_m)
        self._write("target_quat", rows, target.quat_xyzw)

    def joints_rad(self) -> Array:
        """Joint positions, shape (B, 7), [rad]."""
        return self._host("qpos").astype(np.float64)

    def contact_torque_nm(self) -> Array:
        """Torques of all contacts on the joints at the last physics step, shape (B, 7), [Nm]."""
        torque: Array = self._solver.mjw_data.qfrc_constraint.numpy().astype(np.float64)
        return torque

    def snapshot(self) -> Arrays:
        """Everything the next steps depend on, copied; MuJoCo's names where it has one."""
        NewtonManager.forward()
        held = {name: np.array(self._host(name)) for name in self._arrays}
        return held | {"posture": self._robot.data.joint_pos_target.torch.cpu().numpy().copy()}

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot, to the bit on a CPU."""
        # First what was imposed since: it clears the solver's memory of these cells.
        NewtonManager.forward()
        for name, array in self._arrays.items():
            array.assign(np.asarray(arrays[name]).reshape(array.numpy().shape))
        posture = torch.from_numpy(np.array(arrays["posture"])).to(self._robot.device)
        self._robot.set_joint_position_target_index(target=posture)

    def _host(self, name: str) -> Array:
        """An array with the cells as its first axis: a view on a CPU, a copy of what a GPU has."""
        host = self._arrays[name].numpy()
        return host if len(host) == self.count else host.reshape(self.count, -1, *host.shape[1:])

    def _write(self, name: str, index: Any, values: Array | float) -> None:
        host = self._host(name)
        host[index] = values
        array = self._arrays[name]
        if array.device.is_cuda:
            array.assign(host.reshape(array.numpy().shape))


def own_decimation() -> bool:
    """Have one call of Newton's step do all physics steps of a policy period; whether it does.

    Must be called after every reset of the simulation, which undoes it.
    """
    NewtonManager.activate_newton_actuator_path()
    NewtonManager.set_decimation(SUBSTEPS)
    return bool(NewtonManager.handles_decimation())
