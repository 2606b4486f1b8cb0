#!/bin/sh
# Compiles the C consumer with what pkg-config says about an installed tree: shared, then static.
#
# usage: pkgconfig.sh PREFIX WORK_FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$2"
cd "$2"
PKG_CONFIG_PATH=$(dirname "$(find "$1" -name tunnel.pc)")
export PKG_CONFIG_PATH
libdir=$(pkg-config --variable=libdir tunnel)

# shellcheck disable=SC2046 # lists of options
cc -std=c99 -o shared "$here/c/main.c" $(pkg-config --cflags --libs tunnel)
LD_LIBRARY_PATH=$libdir ./shared

mkdir -p static-only
ln -sf "$libdir/libtunnel.a" static-only/
# shellcheck disable=SC2046
cc -std=c99 -o static "$here/c/main.c" -Lstatic-only \
  $(pkg-config --static --cflags --libs tunnel | sed "s|-L$libdir||")
./static
if ldd static | grep libtunnel; then exit 1; fi

case $(pkg-config --libs tunnel) in
  *sodium*) echo 'the shared library should not ask for libsodium'; exit 1 ;;
esac
