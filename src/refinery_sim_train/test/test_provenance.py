"""Results say on what they were made."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from refinery_sim_train.provenance import machine, processor, provenance, typed_command


def test_the_processor_is_named_since_floating_point_repeats_only_on_its_type() -> None:
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    expected = models[0].partition(":")[2].strip() if models else processor()
    assert processor() == expected and expected
    assert machine().startswith(f"{os.cpu_count()} cores ({expected})")
    facts = provenance(seed=3, env_steps=7)
    assert json.loads(json.dumps(facts)) == facts
    assert (facts["machine"], facts["seed"], facts["env_steps"]) == (machine(), 3, 7)


def test_the_command_can_be_typed_elsewhere(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["--task", str(tmp_path / "tasks/mine.yaml"), "--out", "/elsewhere/run", "--seed", "3"]
    monkeypatch.setattr(sys, "argv", ["/usr/lib/refinery_sim_train/refine", *words])
    assert typed_command() == "refine --task tasks/mine.yaml --out run --seed 3"
