#!/bin/sh
# run.sh NNCC: sorting against the C library's.
. "$(dirname "$0")/../lib.sh"
"$nncc" "$bench/sort/sort.nn" --cpu=native -o "$work/sort.o"
gcc -O2 -I"$work" "$bench/sort/main.c" "$work/sort.o" -o "$work/sort" -lm
"$work/sort"
compare 'sorting' "$bench/sort/sort.py"
