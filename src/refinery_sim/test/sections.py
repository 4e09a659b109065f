"""Tasks with every family of sections, for the tests of the cell."""

import dataclasses

from refinery.paths import config_file
from refinery.section import SectionSpec
from refinery.task import load_task

TASK = load_task(config_file("tasks", "peg_rect"))
SECTIONS = {
    "round": SectionSpec(family="round", size_m=(0.008,)),
    "rectangle": SectionSpec(family="rectangle", size_m=(0.012, 0.008)),
    "square": SectionSpec(family="square", size_m=(0.01,)),
    "hexagon": SectionSpec(family="hexagon", size_m=(0.01,)),
    "d": SectionSpec(family="d", size_m=(0.01, 0.003)),
    "l": SectionSpec(family="l", size_m=(0.014, 0.01, 0.005, 0.004)),
    "t": SectionSpec(family="t", size_m=(0.014, 0.012, 0.005, 0.005)),
    "cross": SectionSpec(family="cross", size_m=(0.014, 0.014, 0.005)),
    "keyed_round": SectionSpec(family="keyed_round", size_m=(0.01, 0.003, 0.002)),
    "two_prongs": SectionSpec(family="two_prongs", size_m=(0.002, 0.006, 0.01)),
    "three_prongs": SectionSpec(family="three_prongs", size_m=(0.002, 0.006, 0.01, 0.01)),
    # An arrow: inward and sharp corners, no edge along x or y but one.
    "polygon": SectionSpec(
        family="polygon", rings_m=(((-0.006, 0.0), (-0.002, -0.007), (0.007, 0.0), (-0.002, 0.007)),)
    ),
    "arrow": SectionSpec(family="polygon", rings_m=(((-0.006, -0.006), (0.008, 0.0), (-0.006, 0.006), (-0.002, 0.0)),)),
}


def task_with(section, **socket):
    """The shipped task with another section and other values of the socket."""
    return dataclasses.replace(
        TASK,
        plug=dataclasses.replace(TASK.plug, section=section),
        socket=dataclasses.replace(TASK.socket, **socket),
    )
