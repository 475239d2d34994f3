# language-whole.sh: what docs/manual.md says and no other case holds.
. "$ROOT/tests/e2e-lib.sh"

cat >shapes.nn <<'N'
const unit = 2.0;
fn area(r: real) -> real = unit * r ^ 2;
fn twice(x: real) -> real = 2 * x;
N
cat >other.nn <<'N'
fn twice(x: real) -> real = x + x + 1;
N
cat >m.nn <<'N'
use shapes as s;
use other;
struct P { a: real[2], b: real }
struct Net[n] { W: real[n, n] ~ normal(0, 1), s: [real[n]; 3] = 0, t: (real, real[2]) = 1 }
struct Deep { blocks: [Net[2]; 4], last: real[2] ~ uniform(2, 3), on: bool = true, c: int = 3 }
# Branches are lazy: what is not taken is not checked.
fn lazy(x: real[n], i: int) -> real = if i < n { x[i] } else { 0 };
fn f32s(x: f32, y: real) -> f32 = x * 2 + f32(y);
fn transposed(A: real[n, m]) -> real[m, n] = [j, i | A[i, j]];
fn reds(x: real[n]) -> (real, real, real, real, real) =
  (sum(i | x[i]), prod(i | x[i]), max(i | x[i]), min(i | x[i]), mean(i | x[i]));
fn reds2(x: real[n]) -> (bool, bool, int, int) =
  (any(i | x[i] > 1), all(i | x[i] > 1), argmax(i | x[i]), argmin(i | x[i]));
fn lse(x: real[n]) -> real = logsumexp(i | x[i]);
# Types of anonymous functions follow from where they go.
fn at(f: fn(real) -> real, x: real) -> real = f(x);
fn passed(x: real) -> real = at(grad(fn(t) = t ^ 3), x);
fn inner(x: real) -> real {
  fn g(y: real) -> real { y * y * x }
  at(grad(g), 2.0)
}
fn each(A: real[n, m]) -> real[n] = [i | sum(j | grad(fn(t: real) = t ^ 2 * A[i, j])(A[i, j]))];
fn over(ps: [P; n]) -> real = fold(i, s = 0.0 | s + ps[i].b * sum(ps[i].a));
fn pairs(n: int) -> [(int, real); n] = [i < n | (i, real(i) / 2)];
fn two(x: real[n]) -> (real[n], int[n]) = scan(i, s = 0.0, k = 0 | (s + x[i], k + 1));
fn until(n: int) -> int = fold(t < n, k = 0, until = k == 5 | k + 1);
fn carried(t: (real, int)) -> (real, int) = fold(i < 3, p = t | (p.0 * 2, p.1 + 1));
fn solved(x: real[n + 1, 2 * n]) -> int = n;
fn matpow(A: real[n, n], k: int) -> real[n, n] = fold(t < k, M = eye(n) | M @ A);
fn kron(A: real[n, m], B: real[p, q]) -> real[n * p, m * q] =
  reshape([i < n, k < p, j < m, l < q | A[i, j] * B[k, l]], [n * p, m * q]);
# The standard library inside of a comprehension.
fn dets(A: real[b, 3, 3]) -> real[b] = [i | det(A[i])];
fn solves(A: real[b, n, n], y: real[b, n]) -> real[b, n] = [i | solve(A[i], y[i])];
fn sorts(x: real[b, n]) -> real[b, n] = [i | sort(x[i])];
fn laplacian(x: real[n]) -> real = trace(hessian(fn(y: real[n]) = sum(y ^ 3))(x));
# Functions of constants are constants.
fn factorial(n: int) -> int = if n < 2 { 1 } else { n * factorial(n - 1) };
const f5 = factorial(5);
fn constant(x: real) -> real = x * real(f5);
fn both(x: real) -> real {
  let y = if x > 0 { x } else { -x };
  let (a, b) = if x > 0 { (1, 2.0) } else { (3, y) };
  let y = b + real(a);
  y
}
# Literals adapt inside of tuples too.
fn mixed(x: real[n]) -> (real, real[n]) = if sum(x) > 0 { (sum(x), x) } else { (0, -x) };
fn deep(x: real) -> (real, (real, int)) = if x > 0 { (1, (x, 2)) } else { (2.5, (0, 3)) };
fn used(x: real) -> real = s.area(x) + s.twice(x) + twice(x) + s.unit;
fn bare(x: f64, y: real) -> real = real(x) + y;
# Parameters whose default is a number may be left out of a call from outside.
fn defaults(x: real[n], by: real = 2, k: int = 3, on: bool = true) -> real[n] =
  if on { by * x + real(k) } else { x };
fn scaled(x: real[n], by: real = 2) -> real = by * sum(x ^ 2);
export init(Deep) as start;
export defaults, dets, solves, sorts, grad(laplacian), kron, over;
export grad(scaled), grad(scaled, by) as by_grad, vjp(solves, A, y) as solves_back;
export vjp(kron, A, B) as kron_back, grad(lse), grad(lazy), grad(over) as over_back;
N
accept "$NNCC" check m.nn
is '{"lazy": 0}' lazy x='[1,2]' i=5
is '{"lazy": 2}' lazy x='[1,2]' i=1
is '{"f32s": 4}' f32s x=1 y=2
is '{"transposed": [[1], [2]]}' transposed A='[[1,2]]'
is '{"reds_0": 6, "reds_1": 6, "reds_2": 3, "reds_3": 1, "reds_4": 2}' reds x='[1,2,3]'
is '{"reds2_0": true, "reds2_1": false, "reds2_2": 2, "reds2_3": 0}' reds2 x='[1,2,3]'
is '{"passed": 12}' passed x=2
is '{"inner": 12}' inner x=3
is '{"each": [10, 50]}' each A='[[1,2],[3,4]]'
is '{"over": 17}' over ps='{"a":[[1,2],[3,4]],"b":[1,2]}'
is '{"pairs": [[0, 1], [0, 0.5]]}' pairs n=2
is '{"two_0": [1, 3], "two_1": [1, 2]}' two x='[1,2]'
is '{"until": 5}' until n=10
is '{"until": 3}' until n=3
is '{"carried_0": 8, "carried_1": 5}' carried t='[1,2]'
is '{"solved": 1}' solved x='[[1,2],[3,4]]'
is '{"matpow": [[1, 5], [0, 1]]}' matpow A='[[1,1],[0,1]]' k=5
is '{"kron": [[1, 2], [3, 6]]}' kron A='[[1,2]]' B='[[1],[3]]'
is '{"dets": [6]}' dets A='[[[1,0,0],[0,2,0],[0,0,3]]]'
is '{"solves": [[1, 1]]}' solves A='[[[2,0],[0,4]]]' y='[[2,4]]'
is '{"sorts": [[1, 2, 3], [4, 5, 6]]}' sorts x='[[3,1,2],[5,4,6]]'
is '{"laplacian": 18}' laplacian x='[1,2]'
is '{"constant": 120}' constant x=1
is '{"both": 5}' both x=-2
is '{"mixed_0": 0, "mixed_1": [1]}' mixed x='[-1]'
is '{"deep_0": 1, "deep_1": [4, 2]}' deep x=4
is '{"deep_0": 2.5, "deep_1": [0, 3]}' deep x=-4
is '{"used": 19}' used x=2
is '{"bare": 3}' bare x=1 y=2
is '{"defaults": [5, 7]}' defaults x='[1,2]'
is '{"defaults": [1, 2]}' defaults x='[1,2]' on=false
is '{"d_x": [4, 8]}' 'grad(scaled)' x='[1,2]'
is '{"d_by": 5}' by_grad x='[1,2]'
accept "$NNCC" run m.nn start seed=3
grep -q '"on": true, "c": 3' out.txt || fail "$(cat out.txt)"
refuse 1 'a value of type real\[n\]' "$NNCC" run m.nn defaults by=2
accept "$NNCC" m.nn -o m.h
grep -q 'int m_defaults(const float \*x, int64_t n, float by, int32_t k,' m.h ||
    fail "m_defaults in m.h"

# The order of use lines means nothing.
{ echo 'use other;'; sed '/^use other;/d' m.nn; } >turned.nn
mv turned.nn m.nn
is '{"used": 19}' used x=2
cat >clash.nn <<'N'
use shapes;
use other;
fn f(x: real) -> real = twice(x);
export f;
N
refuse 1 "'twice' is defined in both" "$NNCC" clash.nn -o clash.so

# A stack's parts are those of one of its values.
cat >part.nn <<'N'
fn f(x: [(real, int); n]) -> real = sum(x.0);
N
refuse 1 'choose one of the stack first: …\[i\]\.0' "$NNCC" part.nn

# The size of code does not depend on how many are in a stack or in a loop.
for k in 3 300; do
    cat >stack.nn <<N
struct B { W: real[8, 8], b: real[8] }
fn f(bs: [B; $k], x: real[8]) -> real = sum(fold(i, h = x | tanh(bs[i].W @ h + bs[i].b)));
fn g(x: real) -> real = fold(t < $k, h = x | sin(h) * x);
export grad(f), grad(g);
N
    "$NNCC" stack.nn --cpu=x86-64-v2 -o stack$k.s || fail "stack.nn, $k"
    grep -c . stack$k.s >lines$k.txt
done
awk 'NR == 1 { a = $1 } NR == 2 { exit !($1 <= 1.02 * a && a <= 1.02 * $1) }' \
    lines3.txt lines300.txt || fail "code of $(cat lines3.txt) and $(cat lines300.txt) lines"

# Several errors in one run; nothing is written.
cat >two.nn <<'N'
fn f(x: real[n], y: real[m]) -> real[n] = x + y;
fn g(x: real) -> int = x;
export f, g;
N
refuse 1 "don't|do not fit|needs" "$NNCC" two.nn -o two.so
[ "$(grep -c ': error: ' err.txt)" = 2 ] || fail "$(cat err.txt)"
