# What a branch that is not taken asks for is neither computed nor checked, also
# where several branches share it.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
fn pair(y: real[T], i: int) -> (real, real) = if i > 0 { let e = exp(y[i-1]); (e, 2 * e) } else { (0, 0) };
fn same(y: real[T], i: int) -> (real, real) = (if i > 0 { exp(y[i-1]) } else { 0 }, if i > 0 { exp(y[i-1]) } else { 1 });
fn sums(q: real, y: real[T], i: int) -> real {
  let a = if i > 0 { tanh(y[i-1] * q) } else { q };
  let b = if i > 0 { y[i-1] * tanh(y[i-1] * q) } else { 1 };
  a + b
}
fn apart(y: real[T], i: int, j: int) -> (real, real) {
  let e = exp(y[i]) + y[j];
  (if i >= 0 { if j > 0 { e } else { 0 } } else { 1 }, if j > 1 { if i >= 0 { e * e } else { 2 } } else { 3 })
}
fn kinds(y: real[T], c: bool, d: bool, i: int) -> real {
  let e = y[i] ^ 2;
  let a = if c { e } else { 0 };
  let b = if d { e + 1 } else { 0 };
  let f = if c { 0 } else { e + 2 };
  if d { a + b } else { if c { a } else { b } }
}
fn slow(x: real) -> real = fold(t < 1000000, s = x | fold(u < 1000000, r = s | sin(r) + 1));
fn two(x: real, c: bool, d: bool) -> (real, real) {
  let e = slow(x);
  (if c { e } else { 0 }, if d { 2 * e } else { 1 })
}
fn view(x: real, z: real[n]) -> real = if all([i < 2*n, j < 1 | z[0] < 1]) { (z[0] * sum(z)) ^ 2.5 } else { x };
fn bool1(z: real[1], x: real) -> real = if (z > 0)[0] { exp(x * fold(t < 3, s = x | sin(s))) } else { x };
fn nought(k: int[n], i: int) -> int = k[i] - k[i];
fn times_0(k: int[n], i: int) -> int = 0 * k[i];
fn itself(k: int[n], i: int) -> bool = argsort(k)[i] == argsort(k)[i];
fn either(k: int[n], i: int) -> int = if k[i] > 0 { 1 } else { 1 };
fn unasked(k: int[n], i: int) -> int = if n < 0 { k[i] - k[i] } else { 1 };
N
accept "$NNCC" m.nn
is '{"pair_0": 0, "pair_1": 0}' pair y='[0]' i=0
is '{"pair_0": 1, "pair_1": 2}' pair y='[0]' i=1
is '{"same_0": 0, "same_1": 1}' same y='[0]' i=-4
is '{"same_0": 1, "same_1": 1}' same y='[0]' i=1
is '{"sums": 1.5}' sums q=0.5 y='[1]' i=0
is '{"apart_0": 1, "apart_1": 3}' apart y='[0,0]' i=-1 j=0
is '{"apart_0": 0, "apart_1": 3}' apart y='[0,0]' i=7 j=-1
is '{"apart_0": 1, "apart_1": 2}' apart y='[0,0]' i=-1 j=5
is '{"apart_0": 1, "apart_1": 3}' apart y='[0,0]' i=0 j=1
is '{"kinds": 0}' kinds y='[3]' c=false d=false i=9
is '{"kinds": 9}' kinds y='[3]' c=true d=false i=0
is '{"kinds": 10}' kinds y='[3]' c=false d=true i=0
is '{"kinds": 19}' kinds y='[3]' c=true d=true i=0
refuse 1 'index out of range' "$NNCC" run m.nn kinds y='[3]' c=false d=true i=9
# What does not depend on what is read asks for it.
for f in nought times_0 itself either; do
    accept "$NNCC" run m.nn $f k='[3, 5]' i=1
    refuse 1 'index out of range' "$NNCC" run m.nn $f k='[3, 5]' i=2
done
is '{"unasked": 1}' unasked k='[3]' i=2
is '{"two_0": 0, "two_1": 1}' two x=1 c=false d=false
is '{"view": 0.17677669}' view x=2 z='[0.5,0.5]'
is '{"view": 2}' view x=2 z='[3,0]'
is '{"bool1": 1}' bool1 z='[1]' x=0

# What a loop captures: asked for in no step, or not by the steps that there are.
cat >m.nn <<'N'
fn cap(x: real[n], i: int, T: int, c: bool) -> real = fold(t < T, s = 0.0 | if c { s + x[i] } else { s + 1 });
fn none(x: real[n], i: int, k: int) -> real = fold(t < k, s = 0.0 | s + exp(x[i]) * x[i]);
fn late(x: real[n], i: int, k: int) -> real = fold(t < k, s = 0.0 | if t > 2 { s + exp(x[i]) } else { s + 0.5 });
fn power(A: real[n, 2], i: int, k: int) -> real = sum(fold(t < k, h = [2.0, 3] | if t > 0 { h * A[i] ^ 2 } else { h + 1 }));
fn both(x: real[n], i: int, k: int) -> real = fold(t < k, s = 0.0 | {
  let e = exp(x[i]);
  let a = if t > 2 { e } else { s };
  let b = if t > 3 { e * e } else { 1 };
  a + b
});
fn ended(x: real[n], i: int, k: int) -> real = fold(t < k, s = 5.0, until = s > 4 | s + x[i]);
fn rows(x: real[n], i: int, k: int) -> real[2] = scan(t < 2, s = 0.0 | if k > 0 { s + x[i] } else { s });
fn nest(x: real[n], i: int, k: int) -> real = fold(t < k, s = 0.0 | fold(u < t, r = s | r + x[i]));
fn bent(x: real[n], i: int, k: int) -> real = fold(t < 3, s = 0.0 | if t < k { fold(u < 2, r = s | r + x[i]) } else { s });
fn slow(x: real) -> real = fold(t < 1000000, s = x | fold(u < 1000000, r = s | sin(r) + 1));
fn idle(x: real, c: bool) -> real = fold(t < 3, s = x | if c { s + slow(x) } else { s + 1 });
fn chosen(x: real, y: real, c: bool) -> real = if c { x * y } else { x };
fn kept(x: real[n], i: int) -> real = remat(chosen)(2, x[i], i >= 0);
fn shared(x: real[n], i: int) -> real { let e = if i >= 0 { exp(x[i]) } else { 1 }; let f = if i >= 0 { x[i] * exp(x[i]) } else { 2 }; e * f }
fn again(x: real[n], i: int) -> real = remat(shared)(x, i);
N
accept "$NNCC" m.nn
is '{"cap": 3}' cap x='[1,2]' i=9 T=3 c=false
is '{"cap": 6}' cap x='[1,2]' i=1 T=3 c=true
is '{"none": 0}' none x='[1,2]' i=9 k=0
is '{"late": 1.5}' late x='[1,2]' i=9 k=3
is '{"late": 2.5}' late x='[1,0]' i=1 k=4
is '{"both": 3}' both x='[1,2]' i=9 k=3
is '{"ended": 5}' ended x='[1,2]' i=9 k=3
is '{"rows": [0, 0]}' rows x='[1,2]' i=9 k=0
is '{"nest": 0}' nest x='[1,2]' i=9 k=1
is '{"bent": 0}' bent x='[1,2]' i=9 k=0
is '{"idle": 4}' idle x=1 c=false
is '{"kept": 2}' kept x='[1]' i=-1
is '{"again": 2}' again x='[1]' i=-1
refuse 1 'index out of range' "$NNCC" run m.nn late x='[1,2]' i=9 k=4
refuse 1 'index out of range' "$NNCC" run m.nn nest x='[1,2]' i=9 k=2
for f in 'grad(cap, x)@T=3 c=false' 'grad(late, x)@k=3' 'grad(both, x)@k=3' 'grad(ended, x)@k=3' \
    'grad(nest, x)@k=1' 'grad(bent, x)@k=0' 'grad(kept, x)@' 'grad(again, x)@'; do
    is '{"d_x": [0]}' "${f%@*}" x='[1]' i=-1 ${f#*@}
    f=hessian${f#grad}
    is '{"hess_x": [[0]]}' "${f%@*}" x='[1]' i=-1 ${f#*@}
done
is '{"d_A": [[0, 0]]}' 'grad(power, A)' A='[[1,2]]' i=9 k=1
is '{"d_A": [[0, 0], [6, 16]]}' 'grad(power, A)' A='[[1,2],[1,2]]' i=1 k=2
refuse 1 'index out of range' "$NNCC" run m.nn 'grad(power, A)' A='[[1,2]]' i=9 k=2
is '{"rows": [0, 0], "rows_dot": [0, 0]}' 'jvp(rows, x)' x='[1]' x_dot='[1]' i=9 k=0
is '{"jac_x": [[0], [0]]}' 'jacobian(rows, x)' x='[1]' i=9 k=0

# Derivatives of recurrences that read the element before, and of elements.
cat >m.nn <<'N'
fn garch(q: real, y: real[T]) -> real = fold(t < T, s = 0.1, l = 0.0 | {
  let v = if t == 0 { s } else { q * s + 0.1 * y[t-1] ^ 2 };
  let m = if t == 0 { 0 } else { y[t-1] * q };
  (v, l + (y[t] - m) ^ 2 / v + log(v))
}).1;
fn gated(w: real, x: real[n], p: int[T]) -> real = fold(t < T, h = 0.0 | {
  let g = if p[t] >= 0 { sigmoid(w * x[p[t]]) } else { 0.5 };
  let c = if p[t] >= 0 { tanh(x[p[t]] + h) } else { h };
  g * h + (1 - g) * c
});
fn maps(w: real[v], p: int[t]) -> real[t] = [i | if p[i] >= 0 { exp(w[p[i]]) * w[p[i]] } else { w[0] }];
fn two(w: real[v], p: int[t], k: int) -> real[t] = [i | {
  let e = w[k];
  let a = if p[i] > 0 { e * e } else { 1 };
  let b = if p[i] > 1 { e } else { 2 };
  a * b
}];
fn many(w: real[v], p: int[t]) -> real = sum(i | {
  let q = p[i];
  let a = if q == 0 { w[q + 9] } else if q == 1 { 2 * w[q + 9] } else { 0 };
  let b = if q == 2 { w[q + 9] } else if q == 3 { 2 * w[q + 9] } else { 0 };
  let c = if q == 4 { w[q + 9] } else if q == 5 { 2 * w[q + 9] } else { 0 };
  let d = if q == 6 { w[q + 9] } else if q == 7 { 2 * w[q + 9] } else { 0 };
  let e = if q == 8 { w[q + 9] } else if q == -9 { 3 * w[q + 9] } else { 0 };
  a + b + c + d + e
});
fn inner(w: real[v], p: int[t], n: int) -> real = sum(i |
  if p[i] >= 0 { fold(k < n, s = 1.0 | s * w[p[i]] + w[p[i]]) } else { 0 });
# The same read before, under another condition, and through a loop of a loop twice.
fn before(w: real[v], p: int[t]) -> real {
  let e = if t > 5 { sin(w[3]) } else { 0 };
  e + sum(i | if p[i] > 0 { sin(w[3]) } else { 0 })
}
fn powers(x: real, w: real[v]) -> real = fold(i < v, r = x | if i == 0 { r } else { w[i-1] * fold(t < 2, s = sin(x) | s * r) });
# What the inner loop kept is read under several conditions that follow from one.
fn nested(x: real, w: real[v]) -> real =
  fold(i < v, r = x | if i == 0 { x } else { w[i-1] * fold(k < v, s = x * x | if k == 0 { x } else { w[k-1] * x }) });
fn nested_slope(x: real, w: real[v]) -> real { let g = grad(nested, x, w)(x, w); g.0 + 3 * g.1[0] }
fn powers_slope(x: real, w: real[v]) -> real { let g = grad(powers, x, w)(x, w); g.0 + sum(g.1) }
N
accept "$NNCC" m.nn
near '{"garch": 40.185436372726635, "garch_dot": -68.770666391483728}' 'jvp(garch, q)' q=0.3 y='[1,2,3]' q_dot=1
near '{"d_q": -68.770666391483728}' 'grad(garch, q)' q=0.3 y='[1,2,3]'
near '{"d_w": -0.178977453840644836}' 'grad(gated, w)' w=0.5 x='[1,2,3]' p='[-1,0,-5]'
refuse 1 'index out of range' "$NNCC" run m.nn gated w=0.5 x='[1,2,3]' p='[-1,0,7]'
near '{"jac_w": [[1, 0], [5.43656365691809047, 0], [0, 22.1671682967919519]]}' 'jacobian(maps, w)' w='[1,2]' p='[-1,0,1]'
is '{"two": [2, 2]}' two w='[1,2]' p='[0,0]' k=9
is '{"jac_w": [[0, 0], [0, 12]]}' 'jacobian(two, w)' w='[1,2]' p='[0,2]' k=1
is '{"many": 3}' many w='[1,2]' p='[9,-1,-9]'
is '{"d_w": [3, 0]}' 'grad(many, w)' w='[1,2]' p='[9,-1,-9]'
is '{"d_w": [0, 9]}' 'grad(inner, w)' w='[1,2]' p='[-3,1]' n=2
is '{"before": 0}' before w='[1,2]' p='[0,-1]'
refuse 1 'index out of range' "$NNCC" run m.nn before w='[1,2]' p='[0,1]'
near '{"d_w": [0.30948563584408445, 0]}' 'grad(powers_slope, w)' x=-0.326 w='[-0.8,1.02]'
near '{"d_x": -4.8, "d_w": [-3.4, 0]}' 'grad(nested_slope, x, w)' x=-0.3 w='[-0.8,1.02]'

# A condition that only one case asks for, by what the case asks for itself.
cat >m.nn <<'N'
fn f(x: real, y: real, w: real[n], c: bool) -> real =
  min(min([i < n | {
    let j = 1;
    if j > 0 && j < n { w[j] + fold(t < n - 3, r = y, until = c | y) } else if c { x * x } else if c { x - y } else { x }
  }]), 3);
fn slope(x: real, y: real, w: real[n], c: bool, e: real) -> real {
  let g = grad(f, x, y, w)(x, y, w, c);
  e * g.0 + e * g.1 + sum(e * g.2)
}
N
near '{"d_x": 6, "d_y": 0, "d_w": [0]}' 'grad(slope, x, y, w)' x=1 y=1 w='[1]' c=true e=3
near '{"d_x": 0, "d_y": 0, "d_w": [0, 0]}' 'grad(slope, x, y, w)' x=1 y=1 w='[1,1]' c=true e=3
