# std-clip.sh: clip_norm and clip_value of optim.nn, which train's settings call.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use optim;
struct P { a: real[2], b: real }
fn norms(g: P, most: real) -> (real[2], real) {
  let c = clip_norm(g, most);
  (c.a, c.b)
}
fn values(g: P, most: real) -> (real[2], real) {
  let c = clip_value(g, most);
  (c.a, c.b)
}
fn bare(g: real[n], most: real) -> (real[n], real[n]) = (clip_norm(g, most), clip_value(g, most));
export vjp(norms), vjp(values), vjp(bare);
N
accept "$NNCC" check m.nn

g='{"a": [3, 0], "b": -4}'
near '{"norms_0": [0.6, 0], "norms_1": -0.8}' norms g="$g" most=1
near '{"norms_0": [3, 0], "norms_1": -4}' norms g="$g" most=5
near '{"norms_0": [3, 0], "norms_1": -4}' norms g="$g" most=6
near '{"values_0": [2, 0], "values_1": -2}' values g="$g" most=2
near '{"values_0": [3, 0], "values_1": -3.5}' values g="$g" most=3.5
near '{"bare_0": [0.6, -0.8], "bare_1": [1, -1]}' bare g='[3, -4]' most=1
near '{"bare_0": [0, 0], "bare_1": [0, 0]}' bare g='[0, 0]' most=1

# A program that does not use the library's file clips too.
cat >plain.nn <<'N'
struct S { t: real = 0 }
struct W { w: real = 0 }
fn down[T: real](p: T, g: T, s: S, lr: real = 1) -> (T, S) = (p - lr * g, s);
fn loss(net: W, x: real[n, 1], y: real[n]) -> real = 100 * sum(x) * net.w + sum(y);
train loss(net) { optimizer = down(); clip_norm = 0.5; clip_value = 2; }
N
printf '1,0\n2,0\n' >x.csv
accept "$NNCC" train plain.nn --data x.csv --batch 2 --epochs 1 --save net.json
accept grep -q -- '-0.5' net.json
