"""Trials through the nodes, their report, and the demo."""
