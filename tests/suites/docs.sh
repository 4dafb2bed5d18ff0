#!/usr/bin/env bash
# The site of `make docs`: it builds without a warning, has the whole text, right links, and pages that Chromium shows.
. "$(dirname "$0")/../lib/common.sh"
need chromium node build/node/node_modules/playwright-core build/node/node_modules/axe-core build/venv/bin/mkdocs
check() {
  if "${@:2}" > build/tests/docs.log 2>&1; then
    echo "ok - docs: $1"
  else
    echo "not ok - docs: $1"
    sed 's/^/# /' build/tests/docs.log
    exit 1
  fi
}
check "it builds without a warning" build/venv/bin/python tools/site/build.py
build/venv/bin/python tests/docs/check.py || rc=1
node tests/docs/pages.js build/docs ${PICTURES:-} || rc=1
exit $rc
