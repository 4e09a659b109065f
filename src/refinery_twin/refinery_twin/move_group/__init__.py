"""What a real ``move_group`` offers, for the twin: the names and messages of MoveIt over :mod:`refinery_twin.planning`.

It is a process of its own, as with the real cell: it reads ``joint_states``, plans, and moves the arm through the
trajectory controller's ``follow_joint_trajectory``. Of the cell it knows the robot and what clients put into the
planning scene, nothing else. One thread talks to the graph, another one plans: the planner is for one thread at a time.
"""
