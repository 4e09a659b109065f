import dataclasses

import pytest

from refinery.errors import ConfigError
from refinery_sim_train.settings import read_preset


def test_the_paper_s_preset_trains_as_before_clip_and_clock():
    spec = read_preset("paper")
    assert (spec.observation_clip, spec.clock_steps, spec.lstm) == (0.0, (), 0)
    ppo = spec.ppo
    assert (ppo.learning_rate, ppo.final_std, ppo.seated_steps, ppo.noise_correlation) == (3e-4, 0.06, 0, 0.0)
    assert (ppo.final_bonus, ppo.reward_scale) == (15.0, 0.05)
    assert read_preset("quick").observation_clip > 0


@pytest.mark.parametrize("change", [{"observation_clip": -1.0}, {"clock_steps": (0.0,)}, {"lstm": -1}])
def test_impossible_inputs_are_refused(change):
    with pytest.raises(ConfigError, match=next(iter(change))):
        dataclasses.replace(read_preset("quick"), **change)
