# Each target makes the environment itself; PYTHON=python3.12 chooses the interpreter.
PYTHON ?= python3
VENV   := .venv
READY  := $(VENV)/.ready
RUN    := $(VENV)/bin/python
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: report test site full bench clean

report: $(READY)  ## every task on the quick preset, and its pages
	$(RUN) scripts/run_all.py

test: $(READY)  ## lint and tests
	$(RUN) -m flake8
	$(RUN) -m pytest -n auto --dist loadfile

site: $(READY)  ## pages of the full-size results that are kept here
	$(RUN) scripts/report.py --preset report

full: $(READY)  ## every task as published: full data, hours
	$(RUN) scripts/run_all.py --preset report
	$(RUN) scripts/report.py --preset report

bench: $(READY)  ## training speed against PyTorch
	$(RUN) -m pip install --quiet -r benchmarks/requirements.txt
	$(RUN) benchmarks/run.py

$(READY): requirements.txt setup.cfg scripts/environment.py
	$(PYTHON) scripts/environment.py $(VENV)
	@touch $@

clean:  ## the environment, the quick results and the pages
	rm -rf $(VENV) results/quick results/smoke site
