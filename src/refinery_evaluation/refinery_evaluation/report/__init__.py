"""The demo's results as a page, a screen of text and a results file; no ROS, no torch, no display."""

from refinery_evaluation.report.data import DemoData, TrialRecord
from refinery_evaluation.report.data_io import load_data, save_data
from refinery_evaluation.report.html import page, write_page
from refinery_evaluation.report.results import demo_json
from refinery_evaluation.report.summary import one_screen

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
