# debug.sh: -g puts lines of the model into the code: a debugger stops there.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
struct Net { w: real[3, 4], b: real[4] = 0 }

fn loss(net: Net, x: real[n, 3], y: real[n, 4]) -> real {
  let h = tanh(
    x @ net.w + net.b);
  let d = h - y;
  let s = fold(t < 3, s = 0 | s
    + exp(-s * h[0, t]));
  mean(d * d)
    + sqrt(s) * sum(net.w * net.w)
}

export loss, value_and_grad(loss, net) as loss_grad;
N
cat >driver.c <<'C'
#include "m.h"
int main(void)
{
    static float x[15], y[20], value;
    static NN_ALIGN(64) char workspace[1 << 16];
    static m_Net net, grad;
    net.w[1][2] = x[0] = 1;
    if (m_loss(&net, x, y, 5, &value, workspace, 0) != NN_OK)
        return 1;
    return m_loss_grad(&net, x, y, 5, &value, &grad, workspace, 0);
}
C
# The code is the same with lines as without.
accept "$NNCC" -g m.nn --linker=ld -o m.so
accept "$NNCC" m.nn --linker=ld -o plain.so
code() { objcopy -O binary -j .text "$1" "$1.text" && cat "$1.text"; }
code m.so >a && code plain.so >b && cmp a b || fail 'the code is another one'
accept "$NNCC" -g --cpu=portable m.nn -o m.o
for so in m.so m.o; do
    $CC -g -std=c11 driver.c ./$so -lm -o driver-$so
    ./driver-$so || fail "driver: $?"
done
command -v gdb >gdb.txt || {
    echo 'skipped: gdb'
    exit 0
}
# stops PROGRAM LINE…: gdb stops there; the caller is in the C program.
stops() {
    program=$1
    shift
    for line; do
        failed=
        gdb -batch -nx -iex 'set debuginfod enabled off' -iex 'set breakpoint pending on' \
            -ex "break m.nn:$line" -ex run -ex backtrace ./"$program" >out.txt 2>err.txt </dev/null ||
            failed="status $?"
        grep -q 'ptrace\|not permitted' out.txt err.txt && echo 'skipped: gdb may not trace' && exit 0
        [ -z "$failed" ] || fail "gdb: $failed: $(cat out.txt err.txt)"
        grep -Eq "^Breakpoint 1[.0-9]*, .*at m.nn:$line" out.txt ||
            fail "line $line: $(cat out.txt err.txt)"
        grep -Eq "^#[1-9].* in m_loss.*at m.nn:" out.txt || fail "no m_loss: $(cat out.txt)"
        grep -Eq "^#[1-9].* in main .*at driver.c:" out.txt || fail "no caller: $(cat out.txt)"
    done
}
stops driver-m.so 5 6 8 10
stops driver-m.o 8
