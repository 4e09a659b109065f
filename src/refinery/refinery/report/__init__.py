"""The demo's results as a page, a screen of text and a results file; no ROS, no torch, no display."""

from refinery.report.data import DemoData, TrialRecord
from refinery.report.data_io import load_data, save_data
from refinery.report.html import page, write_page
from refinery.report.results import demo_json
from refinery.report.summary import one_screen

__all__ = [
    "DemoData",
    "TrialRecord",
    "demo_json",
    "load_data",
    "one_screen",
    "page",
    "save_data",
    "write_page",
]
