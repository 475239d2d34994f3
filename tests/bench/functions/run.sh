#!/bin/sh
# run.sh NNCC [PATTERN]…: elementwise functions beside SLEEF (Debian's libsleef3)
# and glibc's libmvec: nanoseconds an element, then of OTHER (another nncc), SLEEF
# to 1 and to 3.5 units, libmvec how many times as long they take; in parentheses
# the most that each was off, in units of the last place. CPU=x86-64-v3: code for
# that one, ours and theirs.
nncc=$1
shift
here=$(dirname "$0")
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
for cpu in ${CPU:-x86-64-v3 native}; do
    echo "$cpu: ns, times by the other build, SLEEF u10, u35, libmvec"
    for real in ${REAL:-32 64}; do
        for of in "$nncc:ours" "${OTHER:-$nncc}:other"; do
            "${of%:*}" "$here/functions.nn" --name=f --cpu="$cpu" \
                --real="f$real" -o "$work/${of##*:}.so" || exit 2
        done
        cc -O2 -march="$cpu" -DREAL="$real" -w -I"$here/../../../runtime" \
            "$here/main.c" -o "$work/main" -ldl -lm || exit 2
        "$work/main" "$work/ours.so" "$work/other.so" "$@"
    done
done
