#!/bin/sh
# Configures, builds and runs a consumer project from scratch.
#
# usage: project.sh SOURCE BUILD [option of cmake...]
set -eu
source=$1 build=$2
shift 2
rm -rf "$build"
cmake -S "$source" -B "$build" -G Ninja "$@"
cmake --build "$build"
for program in "$build"/consumer*; do
  echo "$program"
  "$program"
done
