"""Packaging of refinery_sim_train."""

from setuptools import find_packages, setup

PACKAGE = "refinery_sim_train"

setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(exclude=["test", "test.*"]),
    package_data={"": ["py.typed", "**/*.yaml", "**/*.json"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=False,
    maintainer="Refinery maintainers",
    maintainer_email="maintainers@refinery.example.com",
    description="Offline refinement: simulation, PPO, success model, mixture fit, evaluation and ONNX export",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "refine = refinery_sim_train.cli.launch:refine",
            "train_base = refinery_sim_train.cli.launch:train_base",
            "evaluate = refinery_sim_train.cli.launch:evaluate",
            "export = refinery_sim_train.cli.launch:export",
            "import_policy = refinery_sim_train.cli.launch:import_policy",
        ],
        # Isaac Lab's command line imports what this names, and with it our tasks are registered.
        "isaaclab.tasks": ["refinery = refinery_sim_train.isaaclab_tasks"],
    },
)
