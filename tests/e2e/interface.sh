# interface.sh: header and object belong together: what links and what does not,
# names, symbols, memory for workspaces, damaged files.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use optim;
struct Net { W: real[3, 2] = 0.5, b: real[2] = 0 }
struct Rows[n] { x: real[n, 3], weight: real }
fn loss(net: Net, x: real[b, 3], y: real[b, 2]) -> real = mean((x @ net.W + net.b - y) ^ 2);
fn weighed(r: Rows[n]) -> real = r.weight * sum(r.x);
fn scaled(r: Rows[n], k: real) -> Rows[n] = Rows(x = k * r.x, weight = r.weight);
train loss(net) { optimizer = adam(lr = 2e-3); }
export weighed, scaled, loss;
N
accept "$NNCC" m.nn -o m.o --max b=8
accept "$NNCC" m.nn -o m.so --max b=8

# Two builds of one model in one program; static workspaces; settings' defaults;
# what is only read is const to the leaves. In C and in C++.
accept "$NNCC" m.nn --real=f64 --name=wide --max b=8 -o wide.o
accept "$NNCC" m.nn --real=f64 --name=wide --max b=8 -o wide.a
cat >main.c <<'C'
#include "m.h"
#include "wide.h"

#include <stdio.h>

NN_WORKSPACE(work, M_STEP_WORKSPACE);
NN_WORKSPACE(wide_work, WIDE_STEP_WORKSPACE);
NN_WORKSPACE(none, M_WEIGHED_WORKSPACE);
static m_Net net;
static m_train_state state;
static wide_Net wide_net;
static wide_train_state wide_state;

int main(void)
{
    static const float x[6] = {1, 2, 3, 4, 5, 6}, y[4] = {1, 0, 0, 1};
    static const double wx[6] = {1, 2, 3, 4, 5, 6}, wy[4] = {1, 0, 0, 1};
    float loss = -1, value = 0, out[6];
    double wide_loss = -1;
    m_Rows_n_in rows = {x, 2};
    m_Rows_n twice = {out, 0};
    int bad = m_init(0, &net, &state, NULL, NULL);

    bad |= wide_init(0, &wide_net, &wide_state, NULL, NULL);
    bad |= m_step(&net, &state, x, y, 2, M_STEP_LR, M_STEP_BETA1, M_STEP_BETA2,
                  M_STEP_EPS, &loss, work, NULL);
    bad |= wide_step(&wide_net, &wide_state, wx, wy, 2, WIDE_STEP_LR,
                     WIDE_STEP_BETA1, WIDE_STEP_BETA2, WIDE_STEP_EPS,
                     &wide_loss, wide_work, NULL);
    bad |= m_scaled(&rows, 2, 2, &twice, NULL, NULL);
    bad |= m_weighed((const m_Rows_n_in *)(const void *)&twice, 2, &value, none,
                     NULL);
    bad |= M_STEP_LR != 2e-3f || value != 84;
    bad |= loss - wide_loss > 1e-4 || wide_loss - loss > 1e-4;
    bad |= m_module()->interface_hash != M_INTERFACE;
    if (bad)
        printf("%g %g %g\n", value, loss, wide_loss);
    return bad;
}
C
warn='-Wall -Wextra -pedantic -Werror'
for object in wide.o wide.a; do
    $CC -std=c99 $warn main.c m.o $object -o main
    ./main || fail "the program with $object"
done
$CC -std=c11 $warn main.c m.o wide.o -o main && ./main
if command -v g++ >/dev/null; then
    g++ -x c++ -std=c++11 $warn main.c -x none m.o wide.o -o main
    ./main || fail 'the program in C++'
fi
sed 's/    int bad = .*/&\n    *(float *)rows.x = *rows.x = 0;/' main.c >const.c
if $CC -c const.c 2>err.txt; then fail 'an input can be written'; fi
grep -q 'read-only\|const' err.txt || fail "$(cat err.txt)"

# No other symbols, and the library has a name.
for list in 'nm -D m.so' 'nm m.o' 'nm wide.a'; do
    $list | grep ' [A-TV-Z] ' | grep -v ' T \(m\|wide\)_' &&
        fail "$list: more than the interface"
done
readelf -dW m.so | grep -q SONAME && fail 'a SONAME that nobody asked for'
accept "$NNCC" m.nn -o named.so --soname=libm.so.3
readelf -dW named.so | grep -q 'SONAME.*\[libm\.so\.3\]' || fail 'no SONAME'
$CC main.c wide.o ./m.so -Wl,-rpath,"$PWD" -o shared && ./shared

# An old header with a new object, and the other way: one argument more, another
# order, another size, a larger workspace. What did not change still links.
cat >use.c <<'C'
#include "m.h"

int main(void)
{
    m_Rows_n_in rows = {0, 0};
    float value;
    int status = m_weighed(&rows, 0, &value, 0, 0);

    return status || m_loss(0, 0, 0, 0, 0, 0, 0) != NN_ERR_NULL;
}
C
$CC -c use.c -o old.o && $CC old.o m.o -o use && ./use
old() { # old TEXT: what a new object of the program says to old.o
    accept "$NNCC" m.nn -o m.o --max b=8
    if $CC old.o m.o -o use 2>err.txt; then fail "linked: $1"; fi
    grep -q "m_$1\.[0-9a-f]*" err.txt || fail "$(cat err.txt)"
    grep -q "m_$2\.[0-9a-f]*" err.txt && fail "$(cat err.txt)"
    return 0
}
cp m.nn first.nn
sed 's/y: real\[b, 2\])/y: real[b, 2], s: real = 1)/; s/- y) ^ 2/- s * y) ^ 2/' first.nn >m.nn
old loss weighed
sed 's/, x: real\[b, 3\], y: real\[b, 2\])/, y: real[b, 2], x: real[b, 3])/' first.nn >m.nn
old loss weighed
sed 's/real\[n, 3\]/real[n, 4]/' first.nn >m.nn
old weighed loss
sed 's/\[3, 2\]/[5, 2]/g; s/\[b, 3\]/[b, 5]/' first.nn >m.nn
old loss weighed
cp first.nn m.nn

# Two versions of the ABI in one file.
sed "s/\(NN_ABI_VERSION.*\) 2\$/\1 3/; s/NN_ABI_2_H/NN_ABI_3_H/; s/NN_MODULE_m_H/NN_MODULE_later_H/" m.h >later.h
cat >two.c <<'C'
#include "m.h"
#include "later.h"
C
if $CC -c two.c 2>err.txt; then fail 'two versions met'; fi
grep -q 'two ABI versions' err.txt || fail "$(cat err.txt)"

# A library that was changed is not loaded.
case $NNCC in
*/san/* | *san/*) exit 0 ;;
esac
cat >open.c <<'C'
#include <nn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    nncc_model *m;

    if (nncc_open(argv[argc - 1], &m)) {
        fprintf(stderr, "%s\n", nncc_last_error());
        return 1;
    }
    nncc_close(m);
    return 0;
}
C
$CC open.c $libnn -o open
accept ./open m.so
damaged() { # damaged HOW: hurt.so is refused
    refuse 1 "hurt\.so: $1" ./open hurt.so
}
size=$(wc -c <m.so)
for at in 100 1000 $((size / 2)) $((size - 20)); do
    cp m.so hurt.so
    printf '\245' | dd of=hurt.so bs=1 seek=$at conv=notrunc 2>/dev/null
    damaged 'is (damaged|cut short)'
done
for keep in 10 1000 $((size / 2)) $((size - 40)); do
    head -c $keep m.so >hurt.so
    damaged 'is (cut short|damaged)'
done
# strip drops the checksum, as it changes the file.
cp m.so bare.so && strip bare.so && accept ./open bare.so
accept "$NNCC" m.nn --target=aarch64-linux-gnu -o arm.o
if command -v ld.lld >/dev/null; then
    accept "$NNCC" m.nn --target=aarch64-linux-gnu --linker=ld.lld -o arm.so
    refuse 1 'arm\.so: is an ELF file for another kind of machine' ./open arm.so
fi
