# Thin: each target is a line a person could type. See CONTRIBUTING.md.

.PHONY: run test deep bench check lock docs

run: .venv/.runtime
	@exec scripts/casework demo --serve

test: .venv/.dev
	@HYPOTHESIS_PROFILE=$${HYPOTHESIS_PROFILE:-dev} exec .venv/bin/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder -m "not deep"

deep: .venv/.dev
	@HYPOTHESIS_PROFILE=deep exec .venv/bin/python -m pytest -q -n 2 --dist loadgroup --timeout 9000

bench: .venv/.dev
	@exec .venv/bin/python -m scripts.bench

check: .venv/.dev
	@exec scripts/check

docs: .venv/.dev
	@exec .venv/bin/python -m scripts.docs

# The locks carry hashes and no address of an index: the same files everywhere.
LOCK = .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11
lock: .venv/.runtime
	$(LOCK) pyproject.toml --extra dev -o requirements-dev.txt
	$(LOCK) pyproject.toml -c requirements-dev.txt -o requirements.txt
	echo uv | $(LOCK) - -o requirements-setup.txt

.venv/.runtime: requirements.txt requirements-setup.txt
	@scripts/setup requirements.txt
	@touch $@

.venv/.dev: requirements-dev.txt requirements-setup.txt
	@scripts/setup requirements-dev.txt
	@touch $@
