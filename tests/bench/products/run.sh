#!/bin/sh
# run.sh NNCC [PATTERN]…: products of matrices beside OpenBLAS, MKL and
# oneDNN, where they are installed. QUICK=1: some sizes. CPU=x86-64-v3: code for that one, ours and the
# libraries'. OTHER=nncc: its code in the rows of fixed sizes too, so that two compilers'
# codes for any sizes take turns.
. "$(dirname "$0")/../lib.sh"
shift
here=$bench/products
cpu=${CPU:-native}
shapes() {
    sizes='32 64 128 256 512 1024 2048' batches='1 32 128 1024'
    [ ! "$QUICK" ] || sizes='64 256 1024' batches='1 32'
    for wide in 0 1; do
        for size in $sizes; do
            echo "$size $size $size $wide"
        done
        for layer in '784 128' '784 512' '512 512' '128 10' '512 10'; do
            for b in $batches; do
                echo "$b $layer $wide"
            done
        done
    done
}
make() { # FILE DTYPE NNCC OPTION…
    to=$1 real=$2 with=$3
    shift 3
    "$with" "$here/products.nn" --name=p --cpu="$cpu" --real="$real" "$@" \
        -o "$work/$to-$real.so"
}
shapes >"$work/shapes"
for real in f32 f64; do
    make any $real "$nncc"
done
wanted() { # the shapes that some row of is wanted
    [ $# = 0 ] && cat && return
    while read -r b n m wide; do
        t=f32
        [ "$wide" = 0 ] || t=f64
        for p; do
            for form in nn nt tn step xw wy; do
                case "$form $b $n $m $t" in *"$p"*) echo "$b $n $m $wide" && break 2 ;; esac
            done
        done
    done
}
wanted "$@" <"$work/shapes" >"$work/rows"
while read -r b n m wide; do
    real=f32
    [ "$wide" = 0 ] || real=f64
    if [ "$OTHER" ]; then
        make "$b-$n-$m" $real "$OTHER"
    else
        make "$b-$n-$m" $real "$nncc" --dim=b="$b" --dim=n="$n" --dim=m="$m"
    fi
done <"$work/rows"
gcc -O2 -march="$cpu" -w -I"$top/runtime" "$here/main.c" \
    -o "$work/products" -ldl -lm
export MKL_THREADING_LAYER=SEQUENTIAL MKL_INTERFACE_LAYER=LP64
LD_LIBRARY_PATH=$(dirname "$python")/../lib:$LD_LIBRARY_PATH
export LD_LIBRARY_PATH
[ "$cpu" != x86-64-v3 ] ||
    export OPENBLAS_CORETYPE=Haswell ONEDNN_MAX_CPU_ISA=AVX2 DNNL_MAX_CPU_ISA=AVX2
"$work/products" "$work" "$@" <"$work/rows"
