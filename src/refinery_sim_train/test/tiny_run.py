"""A refinement run of seconds."""

from refinery_sim_train.env.make_env import make_env
from refinery_sim_train.refine.loop import Refinement
from refinery_sim_train.refine.run_folder import RunFolder
from refinery_sim_train.settings import read_preset

SPEC = read_preset("smoke")


def refine(task, agent, path, resume=False, spec=SPEC):
    folder = RunFolder(path, {"seed": 1}, resume=resume)
    return Refinement(task, lambda: make_env(task, spec.environments), agent, spec, 1, folder).run(
        path / "bundle", lambda text: None
    )
