"""Inputs of a tick as nothing promises them: parts of good ones replaced by anything at all."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from refinery.testing.lagging_cell import LaggingCell
from refinery.testing.samples import changed
from refinery.tick.samples import Inputs, PoseSample, RobotSample, WrenchSample

ANY = st.floats(allow_nan=True, allow_infinity=True, width=64)
PARTS = ("none", "none", "measured", "estimate", "wrench", "robot", "now", "shift")


@st.composite
def any_inputs(draw: st.DrawFn, cell: LaggingCell) -> Inputs:
    """Mostly good inputs with some part replaced: wrong shapes, NaN and quaternions of any norm included."""
    good = cell.inputs()
    part = draw(st.sampled_from(PARTS))
    if part == "now":
        return changed(good, now_s=draw(ANY))
    if part == "shift":
        moved = good.measured.pos_m + draw(arrays(float, 3, elements=st.floats(-0.05, 0.05)))
        return changed(good, measured=changed(good.measured, pos_m=tuple(moved.tolist())))
    if part == "wrench":
        size = draw(st.sampled_from([6, 6, 5]))
        wrench = WrenchSample(wrench=draw(st.tuples(*[ANY] * size)), stamp_s=draw(ANY | st.just(good.now_s)))
        return changed(good, wrench=wrench)
    if part == "robot":
        errors = draw(st.lists(st.sampled_from(["joint_reflex", "cartesian_reflex"]), max_size=2))
        mode, stamp_s = draw(st.integers(-1, 99) | st.just(2)), draw(ANY | st.just(good.now_s))
        return changed(good, robot=RobotSample(mode=mode, errors=tuple(errors), stamp_s=stamp_s))
    if part in ("measured", "estimate"):
        old: PoseSample = getattr(good, part)
        scaled = st.floats(0.99, 1.01).map(lambda scale: tuple(scale * value for value in old.quat_xyzw))
        changes = draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "pos_m": st.tuples(*[ANY] * draw(st.sampled_from([3, 3, 2]))),
                    "quat_xyzw": scaled | st.tuples(*[ANY] * draw(st.sampled_from([4, 4, 3]))),
                    "stamp_s": ANY,
                },
            )
        )
        return changed(good, **{part: changed(old, **changes)})
    return good
