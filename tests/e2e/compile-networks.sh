# compile-networks.sh: what compiling a network takes does not depend on how deep
# it is or how long it runs. The limits are several times what is needed: for
# busy machines, and for sanitizers.
. "$ROOT/tests/e2e-lib.sh"

cat >measure.c <<'N'
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    struct rusage u;
    int status;
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    if (argc < 2 || child < 0 || wait(&status) != child || status != 0 ||
        getrusage(RUSAGE_CHILDREN, &u) != 0)
        return 1;
    printf("%ld %ld\n",
           (long)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
               (long)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000,
           u.ru_maxrss);
    return 0;
}
N
$CC -std=c99 -D_DEFAULT_SOURCE measure.c -o measure

# taken COMMAND…: sets ms, of CPU time and the least of three, and kb.
taken() {
    ms=
    for i in 1 2 3; do
        accept ./measure "$@"
        read -r t kb <out.txt
        [ "$ms" ] && [ "$ms" -le "$t" ] || ms=$t
    done
}

# alike A B: modules from one text but for its sizes have one size, to 5 %.
alike() {
    a=$(wc -c <"$1") b=$(wc -c <"$2")
    [ $((a * 95)) -le $((b * 100)) ] && [ $((b * 95)) -le $((a * 100)) ] ||
        fail "$1 has $a bytes, $2 $b"
}

# A training step of GPT-2 of 12 blocks, and of 48: 124 and 379 million parameters.
gpt=$ROOT/examples/gpt2/gpt2.nn
sed 's/BLOCKS = 12/BLOCKS = 48/' "$gpt" >deep.nn
! cmp -s "$gpt" deep.nn || fail "the same number of blocks"
taken "$NNCC" "$gpt" -o flat.so
flat=$ms
[ "$ms" -le 6000 ] && [ "$kb" -le 1500000 ] || fail "GPT-2: $ms ms, $kb KB"
taken "$NNCC" deep.nn -o deep.so
[ "$ms" -le $((flat * 13 / 10 + 100)) ] || fail "48 blocks: $ms ms, 12: $flat ms"
alike flat.so deep.so

# A training step of an LSTM over 10 characters, and over 10,000.
lstm=$ROOT/examples/chars/lstm.nn
taken "$NNCC" "$lstm" --dim t=10 -o short.so
short=$ms
taken "$NNCC" "$lstm" --dim t=10000 -o long.so
[ "$ms" -le $((short * 13 / 10 + 100)) ] || fail "10,000 steps: $ms ms, 10: $short ms"
alike short.so long.so

# The loss of a classifier keeps no logarithms of probabilities, one for each row
# and class, but of their sums: one a row.
cat >m.nn <<'N'
use nn;
fn loss(z: real[b, k], y: int[b]) -> real = cross_entropy(z, y);
export value_and_grad(loss, z);
N
accept "$NNCC" m.nn --dim b=1000 --dim k=1000 --dump=kernels
bytes=$(sed -n 's/^function .*: workspace \([0-9]*\)$/\1/p' out.txt)
[ "$bytes" -le 8192 ] || fail "a workspace of $bytes bytes"
