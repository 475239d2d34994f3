# language-values.sh: operators, precedence, functions, structs, tuples, stacks.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use nn;
use optim as o;
const k = 3;
const half: real = 0.5;
const vec = [1.0, 2.0, 3.0];
const tau = 2 * pi;
struct P { a: real[2], b: real }
struct Q[n] { p: P, v: real[n] }
fn idiv(a: int, b: int) -> (int, int) = (a / b, a % b);
fn idiv64(a: i64, b: i64) -> (i64, i64) = (a / b, a % b);
fn u8s(a: u8[n]) -> u8[n] = a + a;
fn rmod(a: real, b: real) -> real = a % b;
fn powr(x: real) -> (real, real, real) = (-x ^ 2, 2 ^ 3 ^ 2 + 0 * x, 2 ^ -x);
fn prec(a: bool, b: bool, c: bool) -> (bool, bool) = (a || b && c, !a && b);
fn prec2(x: int) -> bool = x + 1 * 2 < 3 && x == 1 || x >= 5;
fn mm(A: real[2, 2], B: real[2, 2]) -> real[2, 2] = A @ B' + 2 * A @ B;
fn mv(A: real[n, m], v: real[m], w: real[n]) -> (real[n], real[m], real) = (A @ v, w @ A, w @ (A @ v));
fn bmm(A: real[b, n, m], B: real[b, m, k2]) -> real[b, n, k2] = A @ B;
fn bmm2(A: real[b, n, m], B: real[m, k2]) -> real[b, n, k2] = A @ B;
fn bmm3(A: real[b, n, m], v: real[m]) -> real[b, n] = A @ v;
fn pipe(x: real[3]) -> real = x |> sin |> sum(axis = 0) |> max(0);
fn lit(c: real, s: real) -> real[2, 2] = [[c, -s], [s, c]];
fn consts(x: real) -> (real, real[3], real, real) = (half * x, vec * x, tau, inf);
fn tup(x: real) -> real { let t = (x, (2 * x, 3 * x)); let (p, q) = t; p + q.0 * q.1 + t.1.0 }
fn st(x: real) -> P { let p = P(a = [x, 1], b = x); P(b = 2 * p.b, a = p.a + 1) }
fn arith(q: Q[n], g: Q[n]) -> Q[n] = q - 0.1 * g;
fn leaves(q: Q[n]) -> (real, real, Q[n]) = (sum(q), dot(q, q), exp(q));
fn neg(q: Q[n]) -> Q[n] = -q;
fn stack(ps: [P; 3], i: int) -> (real, real, P) = (ps[0].b, ps[i].a[1], ps[i]);
fn mkstack(x: real) -> [P; 2] = [st(x), st(2 * x)];
fn nested(x: real, c: real) -> real { fn g(t: real) -> real { fn h(u: real) -> real = u * c; h(t) + x } g(g(1)) }
fn ho(f: fn(real) -> real, x: real) -> real = f(f(x));
fn hou(x: real, a: real) -> real = ho(fn(y) = a * y, x) + ho(sin, x) + ho(grad(cube), x);
fn cube(x: real) -> real = x ^ 3;
fn defs(x: real, by: real = 2, plus: real = 0) -> real = by * x + plus;
fn usedefs(x: real) -> real = defs(x, plus = 1) + defs(by = 3, x = x) + defs(x, 5, 6);
fn lead(x: real[..]) -> real[..] = x * 2;
fn uselead(x: real, y: real[2], z: real[2, 2]) -> (real, real[2], real[2, 2]) = (lead(x), lead(y), lead(z));
fn bc(x: real[n, 1], y: real[1, m]) -> real[n, m] = x + y;
fn bc1(x: real[n, m], y: real[m], s: real) -> real[n, m] = x * y + s;
fn w(x: real) -> real = where(x > 0, sqrt(x), 0);
fn wi(x: real) -> real = if x > 0 { sqrt(x) } else { 0 };
fn wl(x: real) -> real = if x > 0 { log(x) } else if x < -1 { 1 / (x + 1) } else { x };
fn useas(x: real) -> real = o.sgd(x, 1.0, o.SgdState(t = 0), lr = 0.5).0;
N
accept "$NNCC" m.nn
is '{"idiv_0": -4, "idiv_1": 1}' idiv a=-7 b=2
is '{"idiv_0": -4, "idiv_1": -1}' idiv a=7 b=-2
is '{"idiv64_0": -4, "idiv64_1": 1}' idiv64 a=-7 b=2
is '{"u8s": [144, 2]}' u8s a='[200, 1]'
is '{"rmod": 1}' rmod a=-7 b=2
is '{"powr_0": -9, "powr_1": 512, "powr_2": 0.125}' powr x=3
is '{"prec_0": true, "prec_1": false}' prec a=true b=false c=false
is '{"prec2": false}' prec2 x=1
is '{"prec2": true}' prec2 x=5
is '{"mm": [[3, 6], [9, 12]]}' mm A='[[1,2],[3,4]]' B='[[1,0],[0,1]]'
is '{"mv_0": [3, 7], "mv_1": [4, 6], "mv_2": 10}' mv A='[[1,2],[3,4]]' v='[1,1]' w='[1,1]'
is '{"bmm": [[[11]]]}' bmm A='[[[1,2]]]' B='[[[3],[4]]]'
is '{"bmm2": [[[11]]]}' bmm2 A='[[[1,2]]]' B='[[3],[4]]'
is '{"bmm3": [[11]]}' bmm3 A='[[[1,2]]]' v='[3,4]'
is '{"pipe": 0}' pipe x='[0,0,-1]'
is '{"lit": [[1, -2], [2, 1]]}' lit c=1 s=2
is '{"consts_0": 1, "consts_1": [2, 4, 6], "consts_2": 6.2831855, "consts_3": "inf"}' consts x=2
is '{"tup": 30}' tup x=2
is '{"st": {"a": [3, 2], "b": 4}}' st x=2
is '{"arith": {"p": {"a": [0.9, 0.9], "b": 0.9}, "v": [0.9, 1.9]}}' arith q='{"p":{"a":[1,1],"b":1},"v":[1,2]}' g='{"p":{"a":[1,1],"b":1},"v":[1,1]}'
is '{"leaves_0": 6, "leaves_1": 8, "leaves_2": {"p": {"a": [2.7182817, 2.7182817], "b": 2.7182817}, "v": [2.7182817, 7.389056]}}' leaves q='{"p":{"a":[1,1],"b":1},"v":[1,2]}'
is '{"neg": {"p": {"a": [-1, -1], "b": -1}, "v": [-1, -2]}}' neg q='{"p":{"a":[1,1],"b":1},"v":[1,2]}'
is '{"stack_0": 1, "stack_1": 6, "stack_2": {"a": [5, 6], "b": 3}}' stack ps='{"a":[[1,2],[3,4],[5,6]],"b":[1,2,3]}' i=2
is '{"mkstack": {"a": [[2, 2], [3, 2]], "b": [2, 4]}}' mkstack x=1
is '{"nested": 17}' nested x=2 c=3
is '{"hou": 0}' hou x=0 a=2
is '{"usedefs": 27}' usedefs x=2
is '{"uselead_0": 2, "uselead_1": [2, 4], "uselead_2": [[2, 4], [6, 8]]}' uselead x=1 y='[1,2]' z='[[1,2],[3,4]]'
is '{"bc": [[11, 21], [12, 22]]}' bc x='[[1],[2]]' y='[[10,20]]'
is '{"bc1": [[2, 5]]}' bc1 x='[[1,2]]' y='[1,2]' s=1
is '{"d_x": 0}' 'grad(w)' x=0
is '{"d_x": 0}' 'grad(wi)' x=0
is '{"d_x": 1}' 'grad(wl)' x=-1
is '{"d_x": -1}' 'grad(wl)' x=-2
is '{"d_x": 0}' 'grad(grad(w))' x=0
is '{"d_x": 12}' 'grad(grad(cube))' x=2
is '{"d_x": 6}' 'grad(grad(grad(cube)))' x=2
is '{"useas": 0.5}' useas x=1
is '{"cube": 8, "d_x": 12}' 'value_and_grad(cube, x)' x=2
is '{"cube": 8, "cube_dot": 24}' 'jvp(cube, x)' x=2 x_dot=2
is '{"cube": 8, "x_bar": 24}' 'vjp(cube, x)' x=2 y_bar=2

# Integers wrap: in compiled code, where constants are folded, in the evaluator, of sizes.
cat >m.nn <<'N'
fn wrapped(k: int, m: i64, u: u8) -> (int, int, int, int, int, int, int, i64, i64, u8, int, u8) {
  let least = -2147483647 * k - k;
  (k * 2000000000 * 3, least - k, least / -k, least % -k, abs(least), -least,
   sum([2000000000 * k, 2000000000]), m * 6000000000000000000, prod([m, m, m, m] * 3000000000), u + u,
   int(m * 4294967297), u8(300 * k))
}
fn folded() -> (int, int, int, int, int, int, int, i64, i64, u8, int, u8) =
  wrapped(int(1), i64(2), u8(200));
fn sizes(x: real[n]) -> (int, i64, i64) =
  (n * 2000000000, i64(n) * 6000000000000000000, i64(n) * 6000000000000000000 * 3);
# No proof of where they lie, and no refusal: 6·10¹⁸ i mod 2⁶⁴ is inside for the i there are.
fn far(x: real[n], k: int) -> real[n] =
  [i < n | x[i64(i) * 6000000000000000000 * 3 + i64(k) * 6000000000000000000 + i64(i) * 446744073709551616]];
export wrapped, folded, sizes, far;
N
for f in wrapped folded; do
    arguments=
    [ $f = folded ] || arguments='k=1 m=2 u=200'
    is "{\"${f}_0\": 1705032704, \"${f}_1\": 2147483647, \"${f}_2\": -2147483648, \"${f}_3\": 0, \"${f}_4\": -2147483648, \"${f}_5\": -2147483648, \"${f}_6\": -294967296, \"${f}_7\": -6446744073709551616, \"${f}_8\": -5848697072814915584, \"${f}_9\": 144, \"${f}_10\": 2, \"${f}_11\": 44}" $f $arguments
done
is '{"sizes_0": -294967296, "sizes_1": -6446744073709551616, "sizes_2": -893488147419103232}' sizes x='[1, 2]'
is '{"far": [5, 5, 5]}' far x='[5, 6, 7]' k=0
accept "$NNCC" check m.nn

# The larger and the smaller of two dimensions are one, whatever is fixed.
cat >m.nn <<'N'
fn all(x: real[max(n, m)], y: real[n], z: real[m]) -> real = sum(x) + sum(y) + sum(z);
fn longer(y: real[n], z: real[m]) -> real[max(n, m)] = [i < max(m, n) |
  if i < n && i < m { y[i] * z[i] } else { if i < n { y[i] } else { z[i] } }];
fn square(y: real[n], z: real[m]) -> real = sum(longer(y, z)^2);
fn few(y: real[n]) -> real[min(n, 3), min(3, n)] = [i < min(n, 3), j < min(3, n) | y[i] * y[j]];
export all, longer, grad(square, y, z), jacobian(few);
N
accept "$NNCC" check m.nn
accept "$NNCC" m.nn --dim n=5 -o m.so
accept "$NNCC" m.nn --dim m=0 -o m.so
is '{"longer": [2, 2, 3]}' longer y='[1,2,3]' z='[2]'
is '{"longer": [2, 5]}' longer y='[1]' z='[2,5]'
is '{"few": [[1, 2], [2, 4]]}' few y='[1,2]'
is '{"few": [[1, 1, 1], [1, 1, 1], [1, 1, 1]]}' few y='[1,1,1,7]'
refuse 1 "has shape|do not fit|shape" "$NNCC" run m.nn all x='[1,2]' y='[1,2,3]' z='[2]'
