# threads.sh: --threads: as many as one likes, and the same bits.
. "$ROOT/tests/e2e-lib.sh"

digits=$ROOT/examples/digits
train="$NNCC train $digits/digits.nn --data $digits/digits.csv.gz --test 360 --epochs 2 --batch 700"
accept $train --save 1.safetensors
sed 's/ *[0-9]* rows.*//; /time/d' out.txt >1.txt
for n in 2 3 0; do
    accept $train --threads $n --save $n.safetensors
    cmp 1.safetensors $n.safetensors || fail "$n threads make a difference"
    sed 's/ *[0-9]* rows.*//; /time/d' out.txt | cmp - 1.txt || fail "$n: $(cat out.txt)"
done
accept $train --threads 2 --seeds 2 --jobs 2

use="$digits/digits.nn --load 1.safetensors --data $digits/digits.csv.gz"
for what in eval 'predict logits'; do
    set -- $what
    model=${use%% *}
    accept "$NNCC" $1 $model ${2:+$2} ${use#* } --batch 1500
    cp out.txt one.txt
    accept "$NNCC" $1 $model ${2:+$2} ${use#* } --batch 1500 --threads 3
    cmp out.txt one.txt || fail "$1 with threads"
done

cat >m.nn <<'N'
fn f(x: real[n], i: int) -> real[n, n] = [a < n, b < n | exp(x[a] * x[b + i])];
fn sums(x: real[n], i: int) -> real[n] = sum(f(x, i), axis = 1);
export sums;
N
awk 'BEGIN { printf "["; for (i = 0; i < 900; i++) printf "%s%g", i ? ", " : "", i % 7 / 7; print "]" }' >x.json
accept "$NNCC" run m.nn sums x=@x.json i=0
cp out.txt one.txt
accept "$NNCC" run m.nn sums x=@x.json i=0 --threads=4
cmp out.txt one.txt || fail "run with threads"
# An index out of range is the same one.
refuse 1 "x\[b \+ i\]" "$NNCC" run m.nn sums x=@x.json i=2
cp err.txt one.txt
refuse 1 "x\[b \+ i\]" "$NNCC" run m.nn sums x=@x.json i=2 --threads=3
cmp err.txt one.txt || fail "$(cat err.txt)"
accept "$NNCC" bench m.nn --time 0.001 n=500 --threads 2
cat >fit.nn <<'N'
fn residual(a: real, b: real, x: real[n], y: real[n]) -> real[n] = a * exp(b * x) - y;
N
awk 'BEGIN { print "x,y"; for (i = 0; i < 50; i++) print i / 50 "," 2 * exp(-i / 50) }' >d.csv
accept "$NNCC" fit fit.nn residual a=1 b=0 --data d.csv --threads 2 --real=f64

refuse 2 "threads" "$NNCC" run m.nn sums x=@x.json i=0 --threads=-1
refuse 2 "threads" "$NNCC" train m.nn --data d.csv --threads=many
refuse 1 "5000 threads: not in 0 ... 1024" "$NNCC" run m.nn sums x=@x.json i=0 --threads=5000
refuse 2 "threads" "$NNCC" check m.nn --threads=2

# The pool's own memory, as ThreadSanitizer sees it.
case $NNCC in
*/san/*) exit 0 ;;
esac
cat >run_suite.c <<'C'
#include "suite.h"
int run_suite(Suite *s)
{
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
C
echo 'int main(void) { return 0; }' >nothing.c
tsan="$CC -std=c11 -D_POSIX_C_SOURCE=200809L -O1 -g -fsanitize=thread"
if $tsan nothing.c -o nothing 2>err.txt && ./nothing 2>err.txt && pkg-config --exists check; then
    runtime=$ROOT/runtime
    accept $tsan -I"$runtime" -I"$ROOT/tests/unit" "$ROOT/tests/unit/test_runtime_pool.c" run_suite.c \
        "$runtime/pool.c" "$runtime/memory.c" "$runtime/error.c" $(pkg-config --cflags --libs check) -lpthread -o races
    accept env CK_FORK=no ./races
else
    echo "skipped: ThreadSanitizer"
fi
