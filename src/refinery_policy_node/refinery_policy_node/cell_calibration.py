"""What this cell has learnt of its socket estimate: applied, taught by insertions, kept in a file, published."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from rclpy.lifecycle import LifecycleNode

from refinery.bundle import Bundle
from refinery.calibration import CalibrationSpec, Correction
from refinery.calibration_file import calibration_path, load_calibration, save_calibration
from refinery.centring import HoleCentre
from refinery.rotations import Poses
from refinery.storage import check_writable
from refinery_msgs.msg import Outcome, SocketCorrection
from refinery_ros import qos

TOPIC = "socket_correction"


class CellCalibration:
    """Learns the constant error of a fixture's socket estimates.

    The correction changes between insertions only, so that one insertion never sees two.

    Args:
        node: Gets the publisher and takes the log.
        folder: Folder of the fixtures' files.
        fixture: Name of the fixture.
        bundle: Its task gives the scales.
        base_frame: Frame of the estimates.
        max_age: A file that has not changed for longer is left out of account.

    Raises:
        RefineryError: The folder takes no file, or the fixture's file is damaged or of something else.
    """

    def __init__(
        self, node: LifecycleNode, *, folder: Path, fixture: str, bundle: Bundle, base_frame: str, max_age: timedelta
    ) -> None:
        self._node, self._bundle, self._task = node, bundle, bundle.task
        self._fixture, self._base_frame = fixture, base_frame
        self._path = calibration_path(folder, fixture)
        check_writable(folder, "free some space, or name another folder: -p calibration_dir:=...")
        self._learnt, ignored = load_calibration(
            self._path,
            CalibrationSpec.of(self._task),
            fixture=fixture,
            task=self._task.name,
            base_frame=base_frame,
            max_age=max_age,
        )
        if ignored:
            node.get_logger().warning(f"{ignored}; the calibration is learnt anew")
        self.correction: Correction = self._learnt.correction()
        """To be applied to estimates in the next insertion."""
        self._publisher = node.create_publisher(SocketCorrection, TOPIC, qos.STATUS)
        self._publish()

    def learn(self, outcome: int, hole: HoleCentre | None, corrected: Poses | None, *, undisturbed: bool) -> None:
        """Learn from an insertion: from a seated plug that felt both walls of the hole, and from nothing else.

        Args:
            outcome: How it ended, a value of refinery_msgs/Outcome.
            hole: Where the plug felt the hole; None if it did not.
            corrected: Running mean of the corrected estimates at its end, base frame, batch of one.
            undisturbed: Whether the guard never held or stopped it.
        """
        if outcome == Outcome.FAILED:
            self._learnt.failed()
        elif outcome == Outcome.SUCCESS and undisturbed and hole is not None and corrected is not None:
            if not hole.inside(self._task.socket.clearance_m)[0]:
                x_mm, y_mm = (1e3 * hole.width_m[0]).tolist()
                self._node.get_logger().info(
                    f"calibration: nothing learnt, the plug moved {x_mm:.2f} and {y_mm:.2f} mm from wall to wall, "
                    f"expected about {2e3 * self._task.socket.clearance_m:.2f} mm"
                )
                return
            # The camera's own estimate is what is learnt from, not the corrected one.
            self._learnt.seated(self.correction.remove(corrected), hole.centre_m[0])
        else:
            return
        self._update()

    def forget(self) -> None:
        """Begin anew, as after the fixture or the camera was moved."""
        self._learnt.forget()
        self._update()

    def destroy(self) -> None:
        """End the publisher."""
        self._node.destroy_publisher(self._publisher)

    def _update(self) -> None:
        correction = self._learnt.correction()
        if correction == self.correction:
            return
        self.correction = correction
        try:
            save_calibration(
                self._path,
                self._learnt,
                fixture=self._fixture,
                task=self._task.name,
                base_frame=self._base_frame,
                provenance={"bundle": self._bundle.name, "task_hash": self._task.hash()},
            )
        except OSError as error:
            self._node.get_logger().error(f"the calibration was not written: {error}")
        self._publish()

    def _publish(self) -> None:
        correction, message = self.correction, SocketCorrection()
        message.header.stamp = self._node.get_clock().now().to_msg()
        message.header.frame_id = self._base_frame
        message.fixture, message.task = self._fixture, self._task.name
        message.applied, message.std_m = correction.applied, correction.std_m
        message.x_m, message.y_m = correction.offset_m
        message.observations, message.forgotten = correction.observations, self._learnt.forgotten
        message.message = f"fixture {self._fixture!r}: {correction.description}"
        self._node.get_logger().info(message.message)
        self._publisher.publish(message)
