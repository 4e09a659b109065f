# Every recipe runs inside the environment through tools/env, and sets up first what is missing; `make help` lists the targets.
# make makes its own folder the working directory only when asked (make -C); recipes name files from here.
PYTHON ?= python3
ROOT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
SETUP = PYTHON=$(PYTHON) "$(ROOT)/tools/setup/run"
ENV = cd "$(ROOT)" && "$(ROOT)/tools/env"
ARGS ?=
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup build demo assembly assembly-crashes assembly-study study bench docs faults placement test lint clean distclean \
  twin-pairs recordings refit robot-pc first-hour warp isaaclab test-isaaclab calibration

help:  ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' "$(ROOT)/Makefile"

setup:  ## Make .venv with everything pinned (also done by the targets below, where needed)
	@$(SETUP) venv

build:  ## Build the workspace with colcon (includes setup)
	@$(SETUP) build

demo: build  ## Refine a policy, run it through real ROS 2 nodes, write demo/report.html (ARGS=... is passed on)
	@$(ENV) "$(ROOT)/install/refinery_evaluation/lib/refinery_evaluation/demo" $(ARGS)

assembly: build  ## Assemble a gearbox on the twin through the real nodes: journal, pictures, report (ARGS="--sequence sleeves")
	@$(ENV) "$(ROOT)/install/refinery_evaluation/lib/refinery_evaluation/assembly" $(ARGS)

assembly-crashes: build  ## Kill assembly node, policy node and client 50 times each, write results/assembly_crashes.json (ARGS="--kills 10")
	@$(ENV) python -m experiments.assembly_crashes $(ARGS)

study: build  ## Run the study or what is missing of it, hours (ARGS="--task t_post --out runs/check/study" repeats one task)
	@$(ENV) python -m experiments.study $(ARGS)

bench: build  ## Measure what the code costs beside bare physics, bare inference and a bare echo, minutes
	@$(ENV) python -m experiments.bench.physics $(ARGS)
	@$(ENV) python -m experiments.bench $(ARGS)

docs: build  ## Write docs/parameters.md from the parameters that the nodes declare
	@$(ENV) python tools/parameters_page.py

twin-pairs: build  ## Run the same episodes in the training environment and on the twin, and compare
	@$(ENV) python -m experiments.twin_pairs $(ARGS)

faults: build  ## Inject 500 faults into insertions on the twin, write results/faults.json and docs/faults.md
	@$(ENV) python -m experiments.faults.campaign $(ARGS)

placement: build  ## Place 1,000 sampled initial states through MoveIt's interfaces on the twin, write results/placement.json
	@$(ENV) python -m experiments.placement.campaign $(ARGS)

recordings: build  ## Kill 50 recorders, record and replay 100 trials, write results/evaluation.json (ARGS="--bundle ... --sittings 8")
	@$(ENV) python -m experiments.recordings $(ARGS)

refit: build  ## Refit a bundle in a cell that differs from training, hold out trials, write results/refit.json (ARGS="--bundle ...")
	@$(ENV) python -m experiments.refit $(ARGS)

robot-pc: build  ## Install what a robot's computer needs, offline, into a fresh environment, and configure both nodes there
	@$(ENV) python -m pytest tests/robot_pc $(ARGS)

first-hour: build  ## Walk a user's first hour on the twin: a part of one's own, from measures or CAD to a report
	@$(ENV) python -m pytest tests/first_hour $(ARGS)

warp: build  ## Install MuJoCo-Warp, the backend for thousands of environments on a GPU (0.4 GB; refine --backend warp)
	@$(ENV) python -m pip install --quiet --constraint "$(ROOT)/requirements/constraints.txt" -r "$(ROOT)/requirements/warp.txt"

isaaclab:  ## Make .venv-isaaclab (Python 3.12, 8 GB), where the backend isaaclab and its tasks run
	@$(PYTHON) -B "$(ROOT)/tools/setup/isaaclab_environment.py"

test-isaaclab: isaaclab  ## Tests of the backend isaaclab and of what runs there, about half an hour on two cores
	@cd "$(ROOT)" && REFINERY_PURE_PYTHON=1 .venv-isaaclab/bin/python -m pytest -m "not ros" src/refinery/test tests/isaaclab_backend $(ARGS)

calibration: build  ## Let 100 cells learn the error of their socket estimates, write results/calibration.json (ARGS="--task two_prongs")
	@$(ENV) python -m experiments.calibration $(ARGS)

assembly-study: build  ## Run whole assemblies without ROS, write results/assembly.json (ARGS="--sequence sleeves --assemblies 100")
	@$(ENV) python -m experiments.assembly $(ARGS)

test: lint  ## Lint, then all tests on a real ROS graph (ARGS="-k name" is passed to pytest)
	@$(ENV) python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --rerun-show-tracebacks \
	  --ignore tests/robot_pc --ignore tests/first_hour --ignore tests/isaaclab_backend $(ARGS)

lint: build  ## ruff and mypy
	@$(ENV) ruff check .
	@$(ENV) mypy

clean:  ## Remove what was built, logged and cached; keep .venv
	@rm -rf "$(ROOT)"/build "$(ROOT)"/install "$(ROOT)"/log "$(ROOT)"/.pytest_cache "$(ROOT)"/.mypy_cache \
	  "$(ROOT)"/.ruff_cache "$(ROOT)"/.hypothesis
	@find "$(ROOT)" -name ".venv*" -prune -o -name .git -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf

distclean: clean  ## Remove .venv and .venv-isaaclab too
	@rm -rf "$(ROOT)"/.venv "$(ROOT)"/.venv-isaaclab
