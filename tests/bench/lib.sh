# lib.sh: what the scripts of all parts begin with: `. lib.sh` with $1 the compiler. Gives
# nncc, python, top, work (a folder for files) and the functions below. A part ends where
# something fails.
set -e
nncc=$1
top=$(cd "$(dirname "$0")/../../.." && pwd) || exit 2
bench=$top/tests/bench
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
python=$top/build/peers/bin/python
[ -x "$python" ] || python=${PYTHON:-python3}
export NNCC_CACHE= # nothing is kept
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
# OpenBLAS takes a CPU that it does not know for an old one.
! grep -q avx512vl /proc/cpuinfo || export OPENBLAS_CORETYPE=SkylakeX

# WHAT PEER BEST MEDIAN TARGET NOTE: judge.awk has what they mean.
row() { printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$@"; }
without() { row "$1" "$2" '' '' "$3" "$4"; } # WHAT PEER TARGET WHY

# On one core, as rows.h has it.
one() {
    if command -v taskset >/dev/null; then
        taskset -c "$(taskset -cp $$ | sed 's/.*[ ,-]//')" "$@"
    else
        "$@"
    fi
}

# Divided, with three digits.
ratio() { awk "BEGIN { printf \"%.3g\", ($1) / ($2) }"; }

# Whether Python has it.
has() { "$python" -c "import $1" 2>/dev/null; }

# Whether C programs can use a library: -lNAME.
links() { echo 'int main(void) { return 0; }' | gcc -x c - "$1" -o "$work/none" 2>/dev/null; }

# A script that compares with peers in Python, with an allocator that gives nothing back.
compare() {
    "$python" -c 'import numpy' 2>/dev/null || {
        without "$1" 'Python' '>= 1' 'no NumPy'
        return
    }
    shift
    jemalloc=$(gcc -print-file-name=libjemalloc.so.2)
    [ -f "$jemalloc" ] || jemalloc=
    NNCC=$nncc LD_PRELOAD=$jemalloc MALLOC_CONF=thp:always,dirty_decay_ms:-1,muzzy_decay_ms:-1 \
        "$python" "$@"
}
