"""The action ``/place``: plans the arm's motion to an initial state, has MoveIt execute it, and monitors the arm."""
