#!/bin/bash
# Sets the machine up, builds and runs the tests. The last line of its output is the count.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

./cmake/install-dependencies.sh
cmake --preset dev
cmake --build --preset dev
mkdir -p build/results
code=0
ctest --preset dev -j2 --output-junit "$PWD/build/results/dev.xml" || code=1

count() { tr '\n' ' ' <build/results/dev.xml | sed "s/.*<testsuite[^>]*[[:space:]]$1=\"\([0-9]*\)\".*/\1/"; }
total=$(count tests) failed=$(count failures) skipped=$(($(count skipped) + $(count disabled)))
echo "$((total - failed - skipped)) passed, $failed failed, $skipped skipped"
exit "$code"
