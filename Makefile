# Inbetween. `make up` is all a newcomer needs; `make` alone lists the rest.

SHELL := /bin/sh
PY := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup up test check django lint types format migrations screenshots messages clean distclean chromium
.NOTPARALLEL:

help: ## this list
	@echo "Inbetween: make <target>. Settings come from the environment or from .env (see .env.example)."
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-11s %s\n", $$1, $$2}' Makefile

# Wheels only, so that no compiler is ever needed. A second call compares one checksum and is done.
define SETUP
sum=$$(cat requirements.txt requirements-dev.txt | cksum)
[ "$$(cat .venv/.ready 2>/dev/null)" = "$$sum" ] && .venv/bin/python -c '' 2>/dev/null && exit 0
say() { printf '%s\n' "$$*" >&2; }
python= found=
for name in $${PYTHON:-python3.11 python3 python}; do
  version=$$("$$name" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
  if [ "$$version" = 3.11 ]; then python=$$name; break; fi
  found="$$found, $$name is $$version"
done
if [ -z "$$python" ]; then
  seen=$${found#, }; seen=$${seen:-none found}
  say "Inbetween needs Python 3.11 ($$seen). Install it (Debian, Ubuntu: apt-get install python3.11 python3.11-venv;" \
    "macOS: brew install python@3.11; anywhere: pyenv install 3.11), or name it: make setup PYTHON=/path/to/python3.11"
  exit 1
fi
[ "$$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = 3.11 ] || rm -rf .venv
rm -f .venv/.ready
say "Installing the pinned packages into .venv: once, about 2 GB on disk, one to five minutes ..."
"$$python" -m venv .venv || { say "Python could not make .venv. On Debian and Ubuntu: apt-get install python3.11-venv"; exit 1; }
.venv/bin/python -m pip install -qq --disable-pip-version-check --no-input --only-binary :all: -r requirements-dev.txt || {
  say "The packages could not be installed; the lines above say why. No network? Only ready-made wheels are used (no compiler): $$(uname -sm) may lack one."
  exit 1
}
printf '%s\n' "$$sum" > .venv/.ready
say "Ready."
endef
export SETUP

setup: ## make .venv and install the pinned packages (PYTHON=/path/to/python3.11); a second call takes milliseconds
	@sh -c "$$SETUP"

up: setup ## start the portal: web server, workers, reaper (PORT=8000 HOST=127.0.0.1 INBETWEEN_DATA=folder)
	@exec $(PY) manage.py up $(if $(PORT),--port $(PORT)) $(if $(filter command%,$(origin HOST)),--host $(HOST))

test: setup chromium check ## everything that has to be right; the last line is pytest's (TEST_WORKERS=processes)
	@$(PY) -m pytest -n $${TEST_WORKERS:-$$(getconf _NPROCESSORS_ONLN)}

check: setup ## the quick half of `make test`: lint, types, migrations, deployment settings
	@$(MAKE) --no-print-directory types & types=$$!; $(MAKE) --no-print-directory lint django; rest=$$?; \
	wait $$types && exit $$rest

django:
	@$(PY) manage.py makemigrations --check --dry-run
	@$(PY) manage.py spectacular --validate --fail-on-warn --file /dev/null
	@INBETWEEN_HTTPS=1 INBETWEEN_ALLOWED_HOSTS=example.org $(PY) manage.py check --deploy --fail-level INFO

lint: setup ## ruff, its formatter, and who may import whom
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff format --quiet --check . || { echo "Some files are not formatted: make format"; exit 1; }
	@$(PY) -c 'import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_logo=True))'

types: setup ## mypy with Django's plugin
	@$(PY) -m mypy

format: setup ## let ruff rewrite what it can
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

migrations: setup ## write migrations after a change of the models
	@$(PY) manage.py makemigrations

screenshots: setup chromium ## pictures of the portal with real jobs, into docs/screenshots and the help page (some minutes)
	@$(PY) -m tests.browser.screenshots

messages: setup ## write the words to translate: make messages LANGUAGE=de (needs GNU gettext)
	@mkdir -p frameinterp_site/locale && $(PY) manage.py makemessages --locale $(or $(LANGUAGE),en) --ignore .venv --ignore staticfiles \
	  && $(PY) manage.py makemessages --domain djangojs --locale $(or $(LANGUAGE),en) --ignore .venv --ignore staticfiles --ignore vendor --ignore media

clean: ## remove caches and collected files; .venv, database and media stay
	@rm -rf staticfiles cache test-artifacts .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean ## remove .venv as well
	@rm -rf .venv

define CHROMIUM
for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done
if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Chromium for the browser tests, about a minute ..."
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null </dev/null && exit 0
fi
echo "The browser tests need Chromium. Install it (Debian, Ubuntu: apt-get install chromium) and run make test again." >&2
exit 1
endef
export CHROMIUM

chromium:
	@sh -c "$$CHROMIUM"
