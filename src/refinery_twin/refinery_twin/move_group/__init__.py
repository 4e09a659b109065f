"""MoveIt's ``move_group`` for the twin: its actions and services over :mod:`refinery_twin.planning`.

It is a process of its own, as with the real cell: it reads ``joint_states``, plans, and moves the arm through the
trajectory controller's ``follow_joint_trajectory``. Of the cell it knows only the robot and the planning scene of its
clients. One thread serves the graph, another one plans: the planner is for one thread at a time.
"""
