#!/bin/sh
# run.sh NNCC: steps of training beside PyTorch's and JAX's.
. "$(dirname "$0")/../lib.sh"
compare 'steps of training' "$bench/networks/networks.py"
