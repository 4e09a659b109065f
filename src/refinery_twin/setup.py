"""Packaging of refinery_twin."""

from setuptools import find_packages, setup

PACKAGE = "refinery_twin"

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
    description="The robot cell without the robot: a MuJoCo arm and parts behind the ROS interfaces of the real cell",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "twin_node = refinery_twin.node:main",
            "move_group_node = refinery_twin.move_group.node:main",
            "picture = refinery_twin.picture:main",
        ],
    },
)
