"""Packaging of refinery_sim."""

from setuptools import find_packages, setup

PACKAGE = "refinery_sim"

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
    description="The MuJoCo physics that training and the twin share: a task's cell, its parts, contacts and control",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "check = refinery_sim.cli.check:main",
            "task = refinery_sim.cli.task:main",
        ],
    },
)
