# language-functions.sh: functions as values, generics, structs, tuples and
# stacks through them, ints as dimensions, einsum; their headers in C.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use nn;
use optim as o;
struct Pair[A, B] { first: A, second: B }
struct Layer[T, n] { w: T, b: real[n] = 0, inner: Pair[T, real[n]] }
struct P { a: real[2], b: real }
struct K { k: key, n: int, x: real }
const one = P(a = [1, 2], b = 3);
const tupc = (1.0, [2.0, 3.0]);
const stk = [one, one];
const sq = fn(x: real) = x * x;
fn swap[A, B](p: Pair[A, B]) -> Pair[B, A] = Pair(first = p.second, second = p.first);
fn mkl(x: real[2], w: real[3]) -> Layer[real[3], 2] = Layer(w = w, b = x, inner = Pair(first = w, second = x));
fn useswap(x: real, y: real[2]) -> (real[2], real) { let s = swap(Pair(first = x, second = y)); (s.first, s.second) }
fn id[T](x: T) -> T = x;
fn lerp[T](a: T, b: T, t: real) -> T = a + t * (b - a);
fn uselerp(p: P, q: P) -> P = lerp(p, q, 0.5);
fn lerpt(p: (real, real[2]), q: (real, real[2])) -> (real, real[2]) = lerp(p, q, 0.5);
fn stackarith(ps: [P; 3]) -> [P; 3] = 2 * ps + ps;
fn stacksum(ps: [P; n]) -> real = sum(ps) + dot(ps, ps);
fn stackexp(ps: [P; n]) -> [P; n] = exp(ps);
fn mx(p: P, q: P) -> P = max(p, q);
fn cl(p: P) -> P = clamp(p, -1, 1);
fn neg(p: (real, P)) -> (real, P) = -p;
fn tupin(t: (real, (real[2], int))) -> (real[2], int) = t.1;
fn tupstk(t: [(real, real[2]); 3]) -> real = sum(t[0].1) + t[1].0;
fn consts(x: real) -> real = x * one.b + tupc.0 + sum(tupc.1) + stk[1].b + sq(x);
fn apply(f: fn(real[n]) -> real[n], x: real[n]) -> real[n] = f(x);
fn apply2(f: fn(real, real) -> real, x: real) -> real = f(x, 2);
fn compose(f: fn(real) -> real, g: fn(real) -> real, x: real) -> real = f(g(x));
fn fns(x: real[3], c: real) -> (real[3], real[3], real, real) = (apply(sin, x), apply(fn(y) = y * c + x, x), compose(exp, fn(t) = t * c, c), apply2(max, c) + apply2(pow, c));
fn rk4(f: fn(real[n]) -> real[n], y: real[n], h: real) -> real[n] {
  let k1 = f(y);
  let k2 = f(y + h / 2 * k1);
  let k3 = f(y + h / 2 * k2);
  let k4 = f(y + h * k3);
  y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
}
fn pend(y: real[2], u: real) -> real[2] = [y[1], u - sin(y[0])];
fn sim(y: real[2], u: real) -> real[2] = rk4(fn(z) = pend(z, u), y, 0.1);
fn newton1(f: fn(real) -> real, x: real) -> real = x - f(x) / grad(f)(x);
fn usenewton(a: real) -> real = newton1(fn(x) = x * x - a, 1.5);
fn energy(p: P) -> real = p.b * sum(p.a ^ 2);
fn gd(f: fn(P) -> real, p: P) -> P = p - 0.1 * grad(f)(p);
fn usegd(p: P) -> P = gd(energy, p);
fn kk(k: K) -> K { let (a, b) = split(k.k); K(k = a, n = k.n + 1, x = k.x + uniform(b)) }
fn adm(p: P) -> P { let s = o.AdamState(m = 0 * p, v = 0 * p, t = 0); o.adam(p, p, s, lr = 0.1).0 }
fn gstep[T](p: T, g: T) -> T = p - 0.1 * g;
fn twostep(p: (P, real)) -> (P, real) = gstep(p, p);
fn recur(x: real[n]) -> real = if n == 0 { 0 } else { x[0] + recur(x[1:]) };
fn userecur(x: real[5]) -> real = recur(x);
fn mixed(p: Pair[real, int]) -> Pair[real, int] = Pair(first = p.first * 2, second = p.second + 1);
fn loss(l: Layer[real[3], 2]) -> real = sum(l.w) * sum(l.b) + dot(l.inner, l.inner);
fn make(n: int) -> real[n] = full([n], 2.0);
fn sized(x: real[m], n: int = 3) -> real[n] = zeros([n]) + x[0];
fn both(x: real[n], n: int) -> real = sum(x) * real(n);
fn part(x: real[m], n: int) -> real[m] = x[0:n][0] + x;
fn waves(x: real, n: int, i: int) -> real = sum(sin(x * real(iota(n)))) * real(i);
fn some(x: real[m], n: int) -> real[n] = [i < n | x[i % 2]];
fn power(x: real, n: int) -> real = fold(t < n, h = 1.0 | h * x);
fn bmm(A: real[b, i, k], B: real[b, k, j]) -> real[b, i, j] = einsum("bik,bkj->bij", A, B);
fn tr(A: real[n, n]) -> real = einsum("ii", A);
fn dg(A: real[n, n]) -> real[n] = einsum("ii->i", A);
fn dg3(A: real[n, m, n]) -> real[m, n] = einsum("iji->ji", A);
fn tp(A: real[n, m]) -> real[m, n] = einsum("ba", A);
fn bil(x: real[n], A: real[n, m], y: real[m]) -> real = einsum("i,ij,j->", x, A, y);
fn dots(A: real[b, h, i, k], B: real[b, h, k, j]) -> real[b, h, i, j] =
  einsum("...ik,...kj->...ij", A, B);
fn imp(A: real[b, n, m], v: real[m]) -> real[b, n] = einsum("...nm,m", A, v);
export mkl, useswap, uselerp, lerpt, stackarith, stacksum, stackexp, mx, cl, neg, tupin, tupstk, consts, fns, sim, usenewton, usegd, kk, adm, twostep, userecur, mixed, loss;
export grad(loss), jvp(loss), vjp(lerpt, p, q), grad(stacksum), vjp(useswap, x, y), vjp(sim, y, u), jacobian(sim, y, u), hessian(loss), grad(userecur), vjp(stackexp), jacobian(lerpt, p);
export make, sized, both, part, waves, some, power;
export grad(waves) as d_waves;
export jacobian(some) as j_some;
export grad(power) as d_power;
export bmm, tr, dg, dg3, tp, dots, imp;
export grad(bil, A, x) as d_bil;
export vjp(dg) as b_dg;
export vjp(dg3) as b_dg3;
export vjp(bmm, A, B) as b_bmm;
N
accept "$NNCC" check m.nn
accept "$NNCC" m.nn -o m.so
accept "$NNCC" m.nn -o m.h
accept $CC -std=c99 -Wall -Wextra -Werror -fsyntax-only -x c m.h
accept g++ -Wall -Wextra -Werror -fsyntax-only -x c++ m.h
grep -q 'int m_make(int64_t n, float \*NN_RESTRICT make,' m.h || fail "m_make in m.h"
grep -q 'int m_waves(float x, int32_t i, int64_t n,' m.h || fail "m_waves"
p='{"a":[1,2],"b":3}' q='{"a":[3,4],"b":5}'
stack='{"a":[[1,2],[3,4],[5,6]],"b":[1,2,3]}'
is '{"useswap_0": [2, 3], "useswap_1": 1}' useswap x=1 y='[2,3]'
is '{"uselerp": {"a": [2, 3], "b": 4}}' uselerp p="$p" q="$q"
is '{"lerpt_0": 2, "lerpt_1": [3, 4]}' lerpt p='[1,[2,3]]' q='[3,[4,5]]'
is '{"stackarith": {"a": [[3, 6], [9, 12], [15, 18]], "b": [3, 6, 9]}}' stackarith ps="$stack"
is '{"stacksum": 132}' stacksum ps="$stack"
is '{"mx": {"a": [1, 9], "b": 3}}' mx p="$p" q='{"a":[0,9],"b":1}'
is '{"cl": {"a": [1, 1], "b": 1}}' cl p="$p"
is '{"neg_0": -1, "neg_1": {"a": [-1, -2], "b": -3}}' neg p="[1,$p]"
is '{"tupin_0": [2, 3], "tupin_1": 4}' tupin t='[1,[[2,3],4]]'
is '{"tupstk": 5}' tupstk t='[[1,2,3],[[1,2],[3,4],[5,6]]]'
is '{"consts": 19}' consts x=2
is '{"fns_0": [0, 0.84147096, 0.9092974], "fns_1": [0, 3, 6], "fns_2": 54.598152, "fns_3": 6}' fns x='[0,1,2]' c=2
is '{"usenewton": 1.4166666}' usenewton a=2
is '{"adm": {"a": [0.9, 1.9], "b": 2.9}}' adm p="$p"
is '{"userecur": 15}' userecur x='[1,2,3,4,5]'
is '{"mixed": {"first": 3, "second": 3}}' mixed p='{"first":1.5,"second":2}'
is '{"mkl": {"w": [3, 4, 5], "b": [1, 2], "inner": {"first": [3, 4, 5], "second": [1, 2]}}}' mkl x='[1,2]' w='[3,4,5]'
is '{"d_l": {"w": [2, 2, 2], "b": [6, 6], "inner": {"first": [2, 4, 6], "second": [8, 10]}}}' 'grad(loss)' l='{"w":[1,2,3],"b":[1,1],"inner":{"first":[1,2,3],"second":[4,5]}}'
is '{"make": [2, 2, 2]}' make n=3
is '{"make": []}' make n=0
is '{"sized": [7, 7]}' sized x='[7, 8]' n=2
is '{"both": 6}' both x='[1, 2]'
is '{"part": [2, 3]}' part x='[1, 2]' n=1
is '{"some": [1, 2, 1]}' some x='[1, 2]' n=3
is '{"power": 1024}' power x=2 n=10
is '{"d_x": 5120}' d_power x=2 n=10
is '{"tr": 5}' tr A='[[1,2],[3,4]]'
is '{"dg": [1, 4]}' dg A='[[1,2],[3,4]]'
is '{"dg3": [[1, 6], [3, 8]]}' dg3 A='[[[1,2],[3,4]],[[5,6],[7,8]]]'
is '{"tp": [[1], [2], [3]]}' tp A='[[1,2,3]]'
is '{"imp": [[3, 7]]}' imp A='[[[1,2],[3,4]]]' v='[1,1]'
is '{"dots": [[[[2, 1], [4, 3]]]]}' dots A='[[[[1,2],[3,4]]]]' B='[[[[0,1],[1,0]]]]'
refuse 1 "give it" "$NNCC" run m.nn make
refuse 1 "a whole number" "$NNCC" run m.nn make n=-1
# One size, fixed while compiling.
accept "$NNCC" m.nn --dim n=4 -o fixed.h
grep -q 'int fixed_make(float \*NN_RESTRICT make,' fixed.h || grep -q 'make(float \*NN_RESTRICT make,' fixed.h || fail "make in fixed.h"
