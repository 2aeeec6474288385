# make demo   run the bundled example      make test       run the quick tests
# make check  format and lint              make test-slow  run the others
# make lock   pin the newest dependencies  make coverage   measure what the unit tests reach
# make clean  remove all that these made   make test-slurm    those that install a Slurm here
#                                          make test-storage  those with an S3 server
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-slow test-slurm test-storage coverage check lock clean

demo: $(VENV)/.demo
	$(BIN)/snakemake --cores all

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 -m "not slow" $(PYTEST_OPTIONS)

test-slow: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 -m slow

test-slurm: $(VENV)-cluster/.done
	$(VENV)-cluster/bin/python -m pytest tests/slurm

test-storage: $(VENV)-storage/.done
	$(VENV)-storage/bin/python -m pytest tests/storage

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
	rm -rf $(VENV) $(VENV)-cluster $(VENV)-storage .snakemake .coverage results

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: envs/phopro.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(VENV)/.dev: envs/dev.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@ $(VENV)/.demo

# Apart, since each start of Snakemake is slower where such plugins are; over the other
# environment, by a file that Python finds it through.
$(VENV)-cluster/.done $(VENV)-storage/.done: $(VENV)-%/.done: envs/%.lock $(VENV)/.dev
	$(PYTHON) -m venv $(VENV)-$*
	$(BIN)/python -c "import site; print(site.getsitepackages()[0])" \
		> $$($(VENV)-$*/bin/python -c "import site; print(site.getsitepackages()[0])")/dev.pth
	$(VENV)-$*/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r $<
	touch $@
