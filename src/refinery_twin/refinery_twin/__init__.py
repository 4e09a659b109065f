"""The robot cell without the robot: a MuJoCo arm and its parts behind the topics of the real cell."""
