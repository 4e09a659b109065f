"""Packaging of refinery_assembly_node."""

from setuptools import find_packages, setup

PACKAGE = "refinery_assembly_node"

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
    description="Chains insertions into assemblies, and goes on where it was after a crash",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "assembly_node = refinery_assembly_node.node:main",
        ],
    },
)
