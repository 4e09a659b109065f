"""Chains insertions into assemblies: a journal, a program of phases, and the node that runs it."""
