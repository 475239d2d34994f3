#!/bin/sh
# chain.sh N: a program with the product t1*t2*…*tN written out, and its
# gradient.
awk -v n="$1" 'BEGIN {
    printf "# chain.nn: a product of %d factors, written out.\n", n
    printf "fn chain(t: real[%d]) -> real {\n  ", n
    for (i = 0; i < n; i++) printf "%st[%d]", i ? " * " : "", i
    print "\n}\nexport grad(chain, t) as chain_grad;"
}'
