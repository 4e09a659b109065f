"""What an assembly is made of."""

import dataclasses

import numpy as np
import pytest
from assemblies import BLOCK, KEY

from refinery.errors import ConfigError
from refinery_sim.assembly.parts import block_with_pockets, check_parts
from refinery_sim.solids import solid_pieces


def test_a_block_has_its_pockets_and_nothing_else_missing():
    pockets = [((0.02, 0.0), (0.01, 0.02), 0.012), ((-0.02, 0.0), (0.01, 0.01), 0.03)]
    solids = block_with_pockets((0.1, 0.06, 0.04), pockets)
    volume = sum(piece.volume_m3 for solid in solids for piece in solid_pieces(solid))
    missing = 0.01 * 0.02 * 0.012 + 0.01 * 0.01 * 0.03
    assert volume == pytest.approx(0.1 * 0.06 * 0.04 - missing)
    assert [(s.low_m, s.high_m) for s in solids] == [(-0.04, -0.03), (-0.03, -0.012), (-0.012, 0.0)]


def test_a_part_comes_after_its_parent_and_has_a_name_of_its_own():
    check_parts([BLOCK, KEY])
    with pytest.raises(ConfigError, match=r"parts\[0\]\.parent: expected nothing \(the base\) or an earlier part"):
        check_parts([KEY, BLOCK])
    with pytest.raises(ConfigError, match=r"parts\[1\]\.name"):
        check_parts([BLOCK, dataclasses.replace(KEY, name="block")])
    assert np.allclose(KEY.seat.pos_m, [[0, 0.0053, 0]])
