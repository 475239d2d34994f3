#!/bin/sh
# run.sh NNCC: a matrix in compressed rows beside SciPy's.
. "$(dirname "$0")/../lib.sh"
compare 'sparse matrix times vector' "$bench/sparse/sparse.py"
