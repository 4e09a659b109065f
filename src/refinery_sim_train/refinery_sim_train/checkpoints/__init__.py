"""Policies that were trained elsewhere: read as data, checked against this version's contract, never unpickled."""
