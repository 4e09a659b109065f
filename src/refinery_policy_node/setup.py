"""Packaging of refinery_policy_node."""

from setuptools import find_packages, setup

PACKAGE = "refinery_policy_node"

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
    description="Runs an insertion policy against a Cartesian impedance controller, guarded at every step",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "policy_node = refinery_policy_node.node:main",
        ],
    },
)
