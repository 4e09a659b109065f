"""Packaging of refinery_evaluation."""

from setuptools import find_packages, setup

PACKAGE = "refinery_evaluation"

setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(exclude=["test", "test.*"]),
    package_data={"": ["py.typed", "**/*.yaml", "**/*.json", "**/*.css", "**/*.j2"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=False,
    maintainer="Refinery maintainers",
    maintainer_email="maintainers@refinery.example.com",
    description="Trials through the nodes, their report, and the demo",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "assembly = refinery_evaluation.cli.launch:assembly",
            "demo = refinery_evaluation.cli.launch:demo",
            "evaluate = refinery_evaluation.cli.launch:evaluate",
            "explain = refinery_evaluation.cli.launch:explain",
            "recorder_node = refinery_evaluation.recording.node:main",
            "refit = refinery_evaluation.cli.launch:refit",
            "replay = refinery_evaluation.cli.launch:replay",
            "report = refinery_evaluation.cli.launch:report",
            "trial = refinery_evaluation.cli.trial:main",
        ],
    },
)
