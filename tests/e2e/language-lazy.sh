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
is '{"two_0": 0, "two_1": 1}' two x=1 c=false d=false
is '{"view": 0.17677669}' view x=2 z='[0.5,0.5]'
is '{"view": 2}' view x=2 z='[3,0]'
is '{"bool1": 1}' bool1 z='[1]' x=0
