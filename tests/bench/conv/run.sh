#!/bin/sh
# run.sh NNCC: a step of a convolutional network beside PyTorch's and JAX's, one thread. PYTHON
# names an interpreter that has them; a peer that is not there is left out.
nncc=$1 here=$(dirname "$0")
python=${PYTHON:-python3}
row() { printf '%-46s %-34s %s\n' "$1" "$2" "$3"; }
one() { if command -v taskset >/dev/null; then taskset -c 0 "$@"; else "$@"; fi; }

"$python" -c "import numpy" 2>/dev/null || {
    row 'convolutional network, step, batch 32' 'not measured' 'pip install torch jax'
    exit 0
}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
"$nncc" "$here/conv.nn" --dim=b=32 --cpu=native -o "$work/conv.o" &&
    gcc -std=c11 -O2 -fPIC -shared -I"$work" "$here/ours.c" "$work/conv.o" -o "$work/ours.so" -lm &&
    row 'convolutional network, step, batch 32' \
        "$(one "$python" "$here/peer.py" "$work/ours.so")" '>= 1.5 times each'
bytes=$(sed -n 's/^#define CONV_STEP_WORKSPACE //p' "$work/conv.h")
row 'its workspace' "$((bytes / 1000)) kB" '1.25 times what is alive at once'
