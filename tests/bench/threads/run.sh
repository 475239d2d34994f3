#!/bin/sh
# run.sh NNCC: two threads against one.
. "$(dirname "$0")/../lib.sh"
build=$(dirname "$nncc")
gcc -O2 -I"$top/runtime" -I"$bench" "$bench/threads/main.c" "$build/libnn.a" -o "$work/threads" \
    -ljansson -llbfgs -lz -lm -lpthread -ldl
threads() { # WHAT MODEL FUNCTION SIZE…
    what="2 threads: $1" f=$3
    [ "$(env -u OMP_NUM_THREADS nproc)" -gt 1 ] || {
        without "$what" 'one thread' '>= 1.8' 'one core'
        return
    }
    "$nncc" "$bench/$2" --cpu=native -o "$work/threads.so"
    shift 3
    "$work/threads" "$what" "$work/threads.so" "$f" 2 "$@"
}
threads 'MLP gradient, batch 1024' mlp/mlp.nn loss_grad 1024
threads 'conv net gradient, batch 32' threads/conv.nn loss_grad 32
threads 'gmm gradient, n = 10,000' workloads/gmm.nn gradient 25 32 10000
