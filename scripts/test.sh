#!/bin/sh
# Everything that CI runs, in one go: the checks, then each kind of test. Ends with one line that
# sums all of them: `N passed, N failed, N skipped`.
set -u
cd "$(dirname "$0")/.."
report=$(mktemp -d)
trap 'rm -rf "$report"' EXIT

checks=0
npm run --silent check || checks=1
npx vitest run --reporter=default --reporter=json --outputFile.json="$report/vitest.json"
exec node scripts/sum-tests.mjs "$report/vitest.json" "$checks"
