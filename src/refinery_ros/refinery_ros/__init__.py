"""Shared by all nodes: lifecycle process, parameters, quality of service, conversions, polled subscriptions."""
