#!/bin/sh
# run.sh NNCC: factorisations and Fourier transforms, against LAPACK and FFTW.
. "$(dirname "$0")/../lib.sh"
"$nncc" "$bench/linalg/linalg.nn" --real=f64 --cpu=native -o "$work/linalg.o"
peer() { # PROGRAM LIBRARY WHAT TARGET PACKAGE
    if links "$2"; then
        gcc -O2 -I"$work" "$bench/linalg/$1.c" "$work/linalg.o" "$2" -lm -o "$work/$1"
        "$work/$1"
    else
        without "$3" "${2#-l}" "$4" "no $5"
    fi
}
peer lapack -lopenblas 'factorisations' '>= 0.7' libopenblas-dev
peer fftw -lfftw3 'Fourier transforms' '>= 0.4' libfftw3-dev
compare 'factorisations with gradients' "$bench/linalg/linalg.py"
