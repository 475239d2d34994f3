# where.sh: a call that stops at an index says where: line, place, index, limit;
# run by nncc, opened by libnn, and called from C.
. "$ROOT/tests/e2e-lib.sh"

{
    cat <<'N'
fn gather(x: real[n], p: int[m]) -> real[m] = [i < m | x[p[i]]];
fn one(x: real[n], k: int) -> real = x[k];
fn walk(x: real[n], p: int[m]) -> real =
  fold(t < m, s = 0 | s + 2 * x[p[t]]);
fn nest(x: real[n], y: real[n], p: int[m]) -> real =
  fold(t < m, s = 0 | fold(u < 2, r = s + x[p[t]] | tanh(r) + y[p[t] + u]));
fn two(x: real[n], y: real[n], p: int[m]) -> real[m] =
  [i < m | x[p[i]] + y[p[i] + 1]];
fn rows(A: real[n, k], B: real[k, h], p: int[m]) -> real[m, h] = [i < m | A[p[i]]] @ B;
fn after(A: real[m, k], B: real[k, h], z: real[q], p: int[m]) -> real[m, h] =
  A @ B + [i < m, j < h | z[p[i]]];
fn hot(p: int[m]) -> real[m, 4] = onehot(p, 4);
fn until_bad(x: real[n], p: int[m]) -> real =
  fold(t < m, s = 0.0, k = 0, until = x[p[k]] > 100 | (s + 1, k + 1)).0;
N
    # More kernels than one function of the object calls.
    echo 'fn deep(x: real[n], A: real[n, n], p: int[m]) -> real[m] {'
    echo '  let a0 = x;'
    i=0
    while [ $i -lt 100 ]; do
        echo "  let a$((i + 1)) = tanh(A @ a$i);"
        i=$((i + 1))
    done
    echo '  [i < m | a100[p[i] - 1]]'
    echo '}'
    echo 'export gather, one, walk, nest, two, rows, after, hot, until_bad, deep;'
    echo 'export grad(walk, x) as d_walk;'
} >m.nn
where() { # where PATTERN ARGUMENT…
    want=$1
    shift
    refuse 1 "m: $1: label or index out of range: m\.nn:$want" "$NNCC" run m.nn "$@"
}
x='x=[1,2,3]' y='y=[1,2,3]' A='A=[[1,2],[3,4]]' B='B=[[1],[2]]'
where "1: index 7 of 'x\[p\[i\]\]' is not in 0 \.\.\. 2" gather $x 'p=[0,1,2,2,1,0,1,1,1,1,7,1]'
where "1: index 4 of .*2" gather $x 'p=[4,1,2,2,1,0,1,1,1,1,2,1,1,1,1,1,1,1,1,1,1,1,1,1]'
# Of a body that is evaluated for no element nothing is checked.
cat >none.nn <<'N'
fn rows(x: real[m], p: int[k], n: int) -> real[4, n] = [i < 4, j < n | x[p[i]]];
fn sums(x: real[m], p: int[k], y: real[n]) -> real[4] = [i < 4 | sum(j | x[p[i]] * y[j])];
fn one(x: real[m], k: int, y: real[n]) -> real[n] = [j | x[k] * y[j]];
fn row(A: real[m, n], p: int[k], z: real[n]) -> real[k] = [i | sum(j | A[p[i], j] * z[j])];
fn walk(x: real[m], p: int[k], y: real[n]) -> real[n] = [j < n | fold(t < k, s = 0 | s + x[p[t]])];
fn walks(x: real[m], p: int[k], y: real[n]) -> real[n] = [j | fold(t < k, s = y[j] | tanh(s) + x[p[t]])];
fn twice(x: real[m], p: int[k], y: real[n]) -> real = sum([j | x[p[0]] * y[j]]) + sum(j | 0 * y[j]);
fn both(x: real[m], k: int, y: real[n]) -> real = sum(j | x[k] * y[j]) + x[k];
export vjp(sums, x) as back, jvp(row, A) as moved, vjp(walks, x) as walked;
N
sed '/^export/d' none.nn >text.nn
at() { # at FUNCTION RESULT ARGUMENT… of no elements, then of some
    f=$1 want=$2
    shift 2
    accept "$NNCC" run none.nn "$f" "$@"
    [ "$(cat out.txt)" = "$want" ] || fail "$f: $(cat out.txt)"
}
none='y=[]' some='y=[1]' x='x=[1,2,3]' p='p=[0,9,1,2]'
at rows '{"rows": [[], [], [], []]}' $x $p n=0
at sums '{"sums": [0, 0, 0, 0]}' $x $p $none
at sums '{"sums": [0, 0, 0, 0]}' $x $p $none --no-simplify
at back '{"sums": [0, 0, 0, 0], "x_bar": [0, 0, 0]}' $x $p $none y_bar='[1,2,3,4]'
at one '{"one": []}' $x k=7 $none
at row '{"row": [0]}' 'A=[[],[]]' p='[5]' 'z=[]'
at moved '{"row": [0], "row_dot": [0]}' 'A=[[],[]]' p='[5]' 'z=[]' 'A_dot=[[],[]]'
at walk '{"walk": []}' $x $p $none
at walks '{"walks": []}' $x $p $none
at walked '{"walks": [], "x_bar": [0, 0, 0]}' $x $p $none 'y_bar=[]'
at twice '{"twice": 0}' $x p='[9]' $none
for f in sums walk walks; do
    refuse 1 "none: $f: .*index 9 of 'x\[p\[.\]\]'" "$NNCC" run none.nn $f $x $p $some
    accept "$NNCC" trace text.nn $f $x $p $none
    refuse 1 'index 9 ' "$NNCC" trace text.nn $f $x $p $some
done
refuse 1 'index 9 ' "$NNCC" run none.nn rows $x $p n=1
refuse 1 'index 7 ' "$NNCC" run none.nn one $x k=7 $some
refuse 1 'index 5 ' "$NNCC" run none.nn row 'A=[[1],[2]]' p='[5]' 'z=[1]'
refuse 1 'index 7 ' "$NNCC" run none.nn both $x k=7 $none
y='y=[1,2,3]'
# The one that is furthest out; negative ones are further than others.
where "1: index -1 of .*2" gather $x 'p=[0,9,-1,8]'
where "1: index -2147483648 of .*2" gather $x 'p=[0,9,-2147483648,8]'
where "1: an index of 'x\[p\[i\]\]', where there is nothing" gather 'x=[]' 'p=[0]'
is '{"gather": []}' gather 'x=[]' 'p=[]'
is '{"gather": [3, 1]}' gather $x 'p=[2,0]'
where "2: index 3 of 'x\[k\]' is not in 0 \.\.\. 2" one $x k=3
where "4: index 5 of 'x\[p\[t\]\]' is not in 0 \.\.\. 2" walk $x 'p=[0,5,9]'
where "4: index [59] of .* 2" d_walk $x 'p=[0,5,9]'
where "6: index 3 of 'y\[p\[t\] \+ u\]' is not in 0 \.\.\. 2" nest $x $y 'p=[0,2]'
where "6: index 4 of 'x\[p\[t\]\]' is not in 0 \.\.\. 2" nest $x $y 'p=[0,4]'
where "8: index 3 of 'y\[p\[i\] \+ 1\]' is not in 0 \.\.\. 2" two $x $y 'p=[0,1,2]'
where "8: index -1 of 'x\[p\[i\]\]' is not in 0 \.\.\. 2" two $x $y 'p=[0,1,-1]'
where "9: index 2 of 'A\[p\[i\]\]' is not in 0 \.\.\. 1" rows $A $B 'p=[0,1,2]'
where "11: index 5 of 'z\[p\[i\]\]' is not in 0 \.\.\. 1" after $A $B 'z=[1,2]' 'p=[0,5]'
where "12: index 4 of 'onehot\(p, 4\)' is not in 0 \.\.\. 3" hot 'p=[3,4]'
where "14: index 3 of 'x\[p\[k\]\]' is not in 0 \.\.\. 2" until_bad $x 'p=[0,3]'
where "117: index -1 of 'a100\[p\[i\] - 1\]' is not in 0 \.\.\. 2" deep $x 'A=[[1,2,3],[1,2,3],[1,2,3]]' 'p=[1,0]'

# From C, where there is an error struct, none, or an exec that is too old.
accept "$NNCC" m.nn -o m.o
cat >main.c <<'C'
#include "m.h"

#include <stdio.h>
#include <string.h>

static int differ(int status, const nn_error *e, int place, int index, int limit)
{
    int bad = status != NN_ERR_INDEX || e->place != place || e->index != index ||
              e->limit != limit;

    if (bad)
        printf("status %d, place %d, index %d, limit %d\n", status, e->place,
               (int)e->index, (int)e->limit);
    return bad;
}

int main(void)
{
    nn_error e = {0};
    nn_exec exec = {0};
    const float x[3] = {1, 2, 3};
    int32_t p[40] = {0};
    float y[40];
    int bad = 0, i;

    e.size = sizeof e;
    exec.size = sizeof exec;
    exec.error = &e;
    for (i = 0; i < 40; i++) {
        p[i] = 3 + i;
        bad |= differ(m_gather(x, p, 3, 40, y, NULL, &exec), &e, 0, 3 + i, 3);
        p[i] = -1 - i;
        bad |= differ(m_gather(x, p, 3, 40, y, NULL, &exec), &e, 0, -1 - i, 3);
        p[i] = 2;
        e.place = 77;
        bad |= m_gather(x, p, 3, 40, y, NULL, &exec) != NN_OK || e.place != 77;
    }
    p[0] = 3;
    bad |= m_gather(x, p, 3, 40, y, NULL, NULL) != NN_ERR_INDEX;
    exec.size = offsetof(nn_exec, error);
    bad |= m_gather(x, p, 3, 40, y, NULL, &exec) != NN_ERR_INDEX;
    exec.size = sizeof exec;
    exec.error = NULL;
    bad |= m_gather(x, p, 3, 40, y, NULL, &exec) != NN_ERR_INDEX;
    bad |= e.place != 77;
    /* Sizes are told too, and come behind the indices. */
    exec.error = &e;
    bad |= m_gather(x, p, -7, 40, y, NULL, &exec) != NN_ERR_DIM || e.index != -7 ||
           e.limit != INT64_C(1) << 31 ||
           m_module()->function[0]->place[e.place]->status != NN_ERR_DIM ||
           strcmp(m_module()->function[0]->place[e.place]->text, "n") != 0;
    bad |= m_gather(x, p, -7, 40, y, NULL, NULL) != NN_ERR_DIM;
    bad |= m_module()->function[0]->nplace != 3 ||
           m_module()->function[0]->place[0]->line != 1 ||
           strcmp(m_module()->function[0]->place[0]->file, "m.nn") != 0;
    return bad;
}
C
accept $CC -std=c99 main.c m.o -o main
./main
for cpu in x86-64-v2 x86-64-v3; do
    accept "$NNCC" m.nn --cpu=$cpu -o m.o
    $CC -std=c99 main.c m.o -o main
    if [ $cpu = x86-64-v2 ] || grep -qw avx2 /proc/cpuinfo; then ./main; fi
done

# Sizes: which one, what it is, what it may be.
cat >size.nn <<'N'
fn many(x: real[n], m: int) -> real =
  sum(sort([i < n * m * 100000 | x[0] * real(i)]));
fn rows(x: real[n], k: int) -> real = sum(scan(t < n / k, s = 0.0 | tanh(s + 1)));
fn late(x: real[n]) -> real = sum(scan(t < n - 5, s = 0.0 | tanh(s + x[t + 5])));
export many, rows, late;
N
size() { # size PATTERN ARGUMENT…
    want=$1
    shift
    refuse 1 "size: $1: .*: size\.nn:$want" "$NNCC" run size.nn "$@"
}
size "2: '100000\*n\*m' is 4000000000, not in 0 \.\.\. 2147483647" many 'x=[1,2]' m=20000
size "3: 'n/k' divides by 0" rows 'x=[1,2]' k=0
size "4: 'n - 5' is -2, not in 0 \.\.\. 2147483647" late 'x=[1,2,3]'

# What the library stops at is told by the user's call.
cat >call.nn <<'N'
use nn;
use solvers;
fn pick(x: real[n], p: int[m]) -> real[m] =
  take_along_axis(x, p);
fn loss(t: int[n], y: real[n, 4]) -> real =
  y |> cross_entropy(t);
fn own(x: real[n], k: int) -> real = gradient_descent(fn(y: real) =
  (y - x[k])^2, 0.0);
export pick, loss, grad(loss, y) as d_loss, own;
N
call() { # call PATTERN ARGUMENT…
    want=$1
    shift
    refuse 1 "call: $1: .*: call\.nn:$want" "$NNCC" run call.nn "$@"
}
call "4: index 4 of 'take_along_axis\(x, p\)' is not in 0 \.\.\. 1" pick 'x=[1,2]' 'p=[4]'
call "6: index 7 of 'y \|> cross_entropy\(t\)' is not in 0 \.\.\. 3" loss 't=[7]' 'y=[[1,2,3,4]]'
call "6: index 7 of .*3" d_loss 't=[7]' 'y=[[1,2,3,4]]'
call "8: index 4 of 'x\[k\]' is not in 0 \.\.\. 1" own 'x=[1,2]' k=4
