"""Recordings of trials: one rosbag2 folder a trial, MCAP inside, that survive a kill and a full disk."""
