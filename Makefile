# Two commands do everything: `make report` and `make test`. Each sets up .venv if need be.
PYTHON ?= python3
# which build of torch: cpu, any or cuda (making/install.py); cpu downloads no CUDA, whatever the Python
TORCH ?= cpu
BIN := .venv/bin
OUT := out

.PHONY: report report-devices test faults lint explore bench clean

report: .venv/installed
	@mkdir -p $(OUT)
	$(BIN)/conformance run --python $(BIN)/python --profile standard -o $(OUT)/run.parquet \
	  $(if $(wildcard $(OUT)/run.parquet.partial),--resume) # it was interrupted: go on
	$(BIN)/conformance report $(OUT)/run.parquet --scripts -o $(OUT)/report.html

# kernels in an interpreter, losses over ranks, runtimes: what of it this machine can (docs/DEVICES.md)
report-devices: .venv/installed
	$(BIN)/python making/devices.py $(BIN)/conformance .venv/devices constraints.txt $(OUT)/devices

# three processes on two cores: one waits for what it has started; polars needs no threads of its own;
# hundreds of processes start, and none but the first compiles what it imports; the threads that NumPy starts
# in each sleep at once, which by default turn in a circle for a while before they do
test: lint .venv/other-numpy
	PYTHONDONTWRITEBYTECODE= POLARS_MAX_THREADS=1 OPENBLAS_THREAD_TIMEOUT=4 OTHER_NUMPY=.venv/other-numpy \
	  $(BIN)/python -m pytest -n 3 --dist worksteal

# processes are killed, files damaged, frameworks misbehave: docs/RELIABILITY.md, which says for how long
faults: .venv/installed
	$(BIN)/python -m tests.support.trust

explore: .venv/installed
	HYPOTHESIS_PROFILE=explore $(BIN)/python -m pytest -n 2 tests/cases tests/reference

lint: .venv/installed .venv/types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/installed
	$(BIN)/python benchmarks/certify.py
	$(BIN)/python benchmarks/judging.py
	$(BIN)/python benchmarks/profiles.py
	$(BIN)/python -m benchmarks.speed

# the installed package as type checkers see it: they do not follow the mapping of an editable install
.venv/types: .venv/installed conformance
	@rm -rf $@ && mkdir -p $@/xent_conformance
	@ln -s $(CURDIR)/conformance/* $(CURDIR)/reference $(CURDIR)/cases $(CURDIR)/reports $@/xent_conformance/

# the corpus has the same bits under another NumPy: a test asks this one
.venv/other-numpy: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $@ 'numpy==2.2.6'

.venv/installed: pyproject.toml constraints.txt making/install.py
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv
	$(BIN)/python making/install.py --torch $(TORCH) --constraint constraints.txt -- --editable '.[dev]'
	@touch $@

clean:
	rm -rf .venv $(OUT)
