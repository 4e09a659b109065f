"""The same episodes in several simulators: success, contact forces and rates."""
