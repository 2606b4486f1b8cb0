#!/bin/bash
# Sets the machine up, builds, and runs the tests. The last line of the output is the count.
#
# usage: tests/run.sh [--fast | --long]
#   --fast   the development build and its tests only
#   --long   also the tests that take many minutes
#
# Stages: dev (warnings are errors), asan and release with the tests that need network namespaces,
# tsan, fuzz. A stage's output stands in build/results/STAGE.log; its end is shown when it fails.
# On CI as root a skipped test counts as a failure: there everything must be able to run.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

readonly results=$PWD/build/results
readonly fuzz_seconds=${TUNNEL_FUZZ_SECONDS:-60}
# What uses threads, or code that others call from several threads.
readonly tsan_programs=(unit_base unit_cipher unit_device unit_transport unit_engine unit_capi
  unit_host)
passed=0 failed=0 skipped=0

say() { printf '%8s  %s\n' "$(date -u +%T)" "$*"; }

fail() {
  say "FAILED: $1"
  tail -n "${2:-60}" "$results/${1%% *}.log"
  failed=$((failed + 1))
}

# add_results STAGE: counts ctest's results of a stage.
add_results() {
  local counts
  counts=($(/usr/bin/python3 tests/count.py "$results/$1.xml"))
  passed=$((passed + counts[0])) failed=$((failed + counts[1])) skipped=$((skipped + counts[2]))
  say "$1: ${counts[0]} passed, ${counts[1]} failed, ${counts[2]} skipped"
}

# build PRESET [argument of cmake --build...]
build() {
  local preset=$1
  shift
  say "$preset: building"
  { cmake --preset "$preset" && cmake --build --preset "$preset" "$@"; } \
    >>"$results/$preset.log" 2>&1 || { fail "$preset (build)"; return 1; }
}

# check PRESET [argument of ctest...]
check() {
  local preset=$1 stage=$1
  shift
  say "$preset: testing"
  rm -f "$results/$stage.xml"
  if ! ctest --test-dir "build/$preset" --output-on-failure --no-tests=error --timeout 600 \
    --output-junit "$results/$stage.xml" "$@" >>"$results/$stage.log" 2>&1; then
    tail -n 60 "$results/$stage.log"
    [ -f "$results/$stage.xml" ] || { fail "$stage (tests)"; return 0; }
  fi
  add_results "$stage"
}

# fuzz_one PROGRAM: a minute of new inputs on top of the seeds.
fuzz_one() {
  local target=${1##*/} found=$results/fuzz/${1##*/}
  mkdir -p "$found/corpus"
  timeout $((fuzz_seconds + 60)) "$1" -max_total_time="$fuzz_seconds" -timeout=10 \
    -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$found/" "$found/corpus" \
    $([ -d "tests/fuzz/corpus/$target" ] && echo "tests/fuzz/corpus/$target") \
    >"$results/fuzz/$target.log" 2>&1
}

fuzz() {
  local targets target
  export -f fuzz_one
  export results fuzz_seconds
  mapfile -t targets < <(find build/fuzz -path '*/bin/*' -name 'fuzz_*' -type f -perm -u+x | sort)
  say "fuzz: ${#targets[@]} targets, $fuzz_seconds s each"
  [ "${#targets[@]}" -gt 0 ] || { fail 'fuzz (no target was built)'; return 0; }
  rm -rf "$results/fuzz"
  mkdir -p "$results/fuzz"
  for target in "${targets[@]}"; do echo "$target"; done |
    xargs -P "$(nproc)" -I{} bash -c 'fuzz_one {} || touch "$results/fuzz/$(basename {}).failed"'
  for target in "${targets[@]##*/}"; do
    if [ -e "$results/fuzz/$target.failed" ]; then
      fail "fuzz/$target"
    else
      passed=$((passed + 1))
      say "fuzz: $target, $(sed -n 's/.*number_of_executed_units: *//p' \
        "$results/fuzz/$target.log") inputs"
    fi
  done
}

finish() {
  local code=0
  [ "$failed" -eq 0 ] || code=1
  if [ "$skipped" -ne 0 ] && [ "${CI:-}" = true ] && [ "$(id -u)" -eq 0 ]; then
    say 'skipped tests fail a run on CI'
    code=1
  fi
  echo "$passed passed, $failed failed, $skipped skipped"
  exit "$code"
}

mode=${1:-}
case $mode in
  '' | --fast | --long) ;;
  *) sed -n 's/^# \{0,1\}//; 2,7p' "$0" >&2; exit 2 ;;
esac

./cmake/install-dependencies.sh --tests
rm -rf "$results"
mkdir -p "$results"

build dev || finish
check dev -j"$(nproc)" -LE 'system|package|long'
[ "$mode" != --fast ] || finish

if build asan; then check asan -j"$(nproc)" -LE 'long|rules'; fi
if build tsan --target "${tsan_programs[@]}"; then
  check tsan -j"$(nproc)" -R "^($(IFS='|'; echo "${tsan_programs[*]}"))\$"
fi
if ! command -v clang++-14 >/dev/null; then
  say 'fuzz: skipped, there is no clang++-14'
  skipped=$((skipped + 1))
elif build fuzz; then
  fuzz
fi
if build release; then
  skip=rules
  [ "$mode" = --long ] || skip='rules|long'
  check release -j"$(nproc)" -LE "$skip"
fi
finish
