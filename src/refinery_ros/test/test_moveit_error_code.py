"""The enumeration of MoveIt's error codes agrees with the message that is installed."""

from __future__ import annotations

from moveit_msgs.msg import MoveItErrorCodes

from refinery_ros.moveit_error_code import MoveItErrorCode


def test_names_and_values_are_those_of_the_message() -> None:
    values = {name: getattr(MoveItErrorCodes, name) for name in dir(MoveItErrorCodes) if name.isupper()}
    codes = {name: value for name, value in values.items() if isinstance(value, int)}
    assert codes == {each.name: each.value for each in MoveItErrorCode}
