"""All plots of the report by name: functions that return the bytes of a PNG, or None where there is nothing to show."""

from refinery_evaluation.report.plot_calibration import reliability
from refinery_evaluation.report.plot_conditions import conditions
from refinery_evaluation.report.plot_learning import learning_curve
from refinery_evaluation.report.plot_map import success_map
from refinery_evaluation.report.plot_marginals import marginals

__all__ = ["conditions", "learning_curve", "marginals", "reliability", "success_map"]
