#!/bin/sh
# run.sh NNCC [PATTERN]…: elementwise functions beside SLEEF (Debian's libsleef3)
# and glibc's libmvec. CPU=x86-64-v3: code for that one, ours and theirs. OTHER=nncc:
# beside that one's code too.
. "$(dirname "$0")/../lib.sh"
shift
functions() { # NNCC FILE
    "$1" "$bench/functions/functions.nn" --name=f --cpu="$cpu" --real="f$real" -o "$work/$2.so"
}
for cpu in ${CPU:-x86-64-v3 native}; do
    for real in ${REAL:-32 64}; do
        other=ours
        functions "$nncc" ours
        [ ! "$OTHER" ] || {
            other=other
            functions "$OTHER" other
        }
        gcc -O2 -march="$cpu" -DREAL="$real" -w -I"$top/runtime" \
            "$bench/functions/main.c" -o "$work/main" -ldl -lm
        "$work/main" "$cpu" "$work/ours.so" "$work/$other.so" "$@"
    done
done
