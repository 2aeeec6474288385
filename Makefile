# make demo   run the bundled example      make test       run the quick tests
# make check  format and lint              make test-slow  run the others
# make lock   pin the newest dependencies  make coverage   measure what the unit tests reach
# make clean  remove all that these made   make test-slurm  those that install a Slurm here
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-slow test-slurm coverage check lock clean

demo: $(VENV)/.demo
	$(BIN)/snakemake --cores all

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 -m "not slow" $(PYTEST_OPTIONS)

test-slow: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 -m slow

test-slurm: $(VENV)-slurm/.done
	$(VENV)-slurm/bin/python -m pytest tests/slurm

coverage: $(VENV)/.dev
	$(BIN)/python -m pytest tests/unit -n 2 --cov --cov-fail-under=95

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/snakemake --lint

lock:
	$(PYTHON) scripts/lock_dependencies.py

clean:
	rm -rf $(VENV) $(VENV)-slurm .snakemake .coverage results

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: envs/phopro.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(VENV)/.dev: envs/dev.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@ $(VENV)/.demo

# Apart, since each start of Snakemake is slower where plugins for clusters are.
$(VENV)-slurm/.done: envs/dev.lock envs/cluster.lock
	$(PYTHON) -m venv $(VENV)-slurm
	$(VENV)-slurm/bin/python -m pip install --quiet --disable-pip-version-check \
		-r envs/dev.lock -r envs/cluster.lock
	touch $@
