"""A thin client of MoveIt's ``move_group``: messages, error codes, connections and motions.

It awaits ticks instead of blocking, so that a placement can be cancelled while MoveIt plans, and it trusts no answer:
trajectories are checked against the robot profile before they are executed.
"""
