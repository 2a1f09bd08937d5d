# `make` prints what there is. ARGS, PORT, HOST and KEEL_STATE are read from the command line or the environment.
PYTHON ?= python3
PY := .venv/bin/python
SIZE ?= 1000,10000
export PORT HOST KEEL_STATE
# Taken as it stands: a $ in it is no variable of make's.
ARGS_AS_GIVEN = $(value ARGS)

help: ## these lines
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' Makefile | while IFS='|' read -r name text; do printf '%-16s %s\n' "$$name" "$$text"; done

demo: ## the demo company at a printed address, with printed sign-ins; KEEL_STATE=DIR, PORT=N
	@$(PYTHON) stack/environment.py demo
	@$(PY) -m stack demo

serve: ## the application on the data in KEEL_STATE, without the demo
	@$(PYTHON) stack/environment.py demo
	@$(PY) -m stack serve

manage: ## any command of manage.py: make manage ARGS="user create ada@example.com --name 'Ada L' --role tam"
	@$(PYTHON) stack/environment.py demo
	@$(PY) -m stack manage -- $(ARGS_AS_GIVEN)

test: ## all tests on real servers that are thrown away; ARGS="tests/metrics -k share" for some
	@$(PYTHON) stack/environment.py dev
	@$(PY) -m stack test -- $(ARGS_AS_GIVEN)

fuzz: ## schemathesis asks the API all that its document allows and forbids, for long; EXAMPLES=N
	@$(PYTHON) stack/environment.py dev
	@KEEL_FUZZ_EXAMPLES=$(or $(EXAMPLES),50) $(PY) -m stack test -- tests/test_fuzz.py

bench: ## the goals for speed, measured beside the best there could be; SIZE=10000,100000 for more
	@$(PYTHON) stack/environment.py dev
	@$(PY) -m stack bench -- --accounts "$(SIZE)" $(ARGS_AS_GIVEN)

chaos: ## workers, broker and database killed in the middle: nothing may be lost; ARGS="--kills 300"
	@$(PYTHON) stack/environment.py dev
	@$(PY) -m stack chaos -- $(ARGS_AS_GIVEN)

check: ## linters, types, import rules, templates, migrations; names all that fail
	@$(PYTHON) stack/environment.py dev
	@$(PY) -m stack check

secrets: ## fresh values for the environment of a real installation
	@$(PYTHON) -m stack secrets

lock: ## the requirements/*.txt anew from the *.in; ARGS="--upgrade" for newer versions
	@$(PYTHON) stack/environment.py dev
	@for name in uv runtime demo dev; do (cd requirements && ../$(PY) -m uv pip compile -q --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		$(ARGS_AS_GIVEN) $$name.in -o $$name.txt) || exit 1; done

.PHONY: help demo serve manage test fuzz bench chaos check secrets lock
