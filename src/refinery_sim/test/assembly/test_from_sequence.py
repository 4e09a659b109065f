"""The shipped sequences become assemblies, and their tasks state the sockets that their parts make."""

import numpy as np
import pytest
import shapely

from refinery.robot_profile import load_robot_profile
from refinery.sequence.sequence import load_sequence
from refinery_sim.assembly.from_sequence import assembly_of
from refinery_sim.assembly.plant import AssemblyPlant
from refinery_sim.section import section_shape
from refinery_sim.solids import solid_shape

SEQUENCES = ("block_key", "sleeves", "gearbox")


def area_at(parts_and_places, height_m):
    """What is solid at a height."""
    shapes = [
        shapely.affinity.translate(shape, *at) for shape, at, low, high in parts_and_places if low < height_m < high
    ]
    return shapely.union_all(shapes)


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_task_states_the_socket_that_base_and_earlier_parts_make(name):
    sequence = load_sequence(name)
    parts, base = assembly_of(sequence)
    seats = sequence.nominal_seats()
    there = [(section_shape(solid.section), (0.0, 0.0), solid.low_m, solid.high_m) for solid in base.solids]
    for part in parts:
        (x, y, z), socket = seats[part.name].pos_m[0], part.task.socket
        around = section_shape(part.task.plug.section).envelope.buffer(0.002, join_style="mitre")
        for height in np.arange(0.0005, part.task.rim_height_m, 0.001):
            stated = shapely.union_all([solid_shape(s) for s in socket.solids if s.low_m < height < s.high_m])
            found = shapely.affinity.translate(area_at(there, z + height), -x, -y)
            # What is stated leaves out gaps that the plug does not reach, and may be wider where nothing is.
            plug = section_shape(part.task.plug.section).buffer(socket.clearance_m * 0.999, join_style="mitre")
            assert found.intersection(plug).area < 1e-9, (part.name, height)
            missing = found.intersection(around).difference(stated).area
            assert missing < 1e-9, (part.name, height, missing)
        length = part.task.plug.length_m
        there.append((section_shape(part.task.plug.section), (x, y), z, z + length))


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_finished_assembly_stands_and_every_part_of_it_is_seated(name):
    sequence = load_sequence(name)
    parts, base = assembly_of(sequence)
    plant = AssemblyPlant(parts, base, load_robot_profile("twin").home_rad)
    plant.put({part: plant.base @ seat for part, seat in sequence.nominal_seats().items() if part in plant.parts})
    assert plant.settle(2.0), "everything falls asleep, or it would cost 600 us a step"
    for part in parts:
        truth = plant.truth(part.name)
        assert truth.seated, (part.name, truth)
        assert abs(truth.offset.height_m[0]) < 2e-5 and truth.offset.lateral_m[0] < 1e-4, part.name
        assert truth.depth_m == pytest.approx(part.task.rim_height_m, abs=2e-5)
