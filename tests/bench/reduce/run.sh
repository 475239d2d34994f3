#!/bin/sh
# run.sh NNCC: reductions, each beside what it should cost like.
. "$(dirname "$0")/../lib.sh"
"$nncc" "$bench/reduce/reduce.nn" --cpu=native -o "$work/reduce.o"
gcc -O2 -I"$work" "$bench/reduce/main.c" "$work/reduce.o" -o "$work/reduce" -lm
"$work/reduce"
