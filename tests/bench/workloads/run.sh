#!/bin/sh
# run.sh NNCC: workloads that others measure by, beside JAX and C.
. "$(dirname "$0")/../lib.sh"
compare 'workloads' "$bench/workloads/workloads.py"
