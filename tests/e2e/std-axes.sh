# std-axes.sh: functions of prelude.nn along an axis: each against a comprehension
# that says what is meant, for all axes of a tensor of rank 3, and derivatives.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
fn off[T](a: T, b: T) -> real = sum(abs(a - b));
fn norms(x: real[n, m, k]) -> (real, real, real) =
  (off(norm(x, axis = 0), [j, l | norm([i < n | x[i, j, l]])]),
   off(norm(x, axis = 1, keepdims = true), [i, one < 1, l | norm([j < m | x[i, j, l]])]),
   off(norm(x, axis = (0, -1)), [j | norm([i < n, l < k | x[i, j, l]])]));
fn of_all(x: real[n, m]) -> (real[1, 1], real) =
  (norm(x, axis = (), keepdims = true), norm((x, sum(x)), axis = ()));
fn spreads(x: real[n, m]) -> (real, real, real) =
  (off(std(x, axis = 1), [i | std([j < m | x[i, j]])]),
   off(variance(x, axis = 0, keepdims = true), [one < 1, j | variance([i < n | x[i, j]])]),
   off(variance(x, keepdims = true), [one < 1, two < 1 | variance(x)]));
fn sums(x: real[n, m, k]) -> (real, real, real) =
  (off(cumsum(x, axis = 0), [i < n, j, l | sum(t < n | where(t <= i, x[t, j, l], 0))]),
   off(cumsum(x, 1), [i, j < m, l | sum(t < m | where(t <= j, x[i, t, l], 0))]),
   off(cumsum(x), [i, j, l < k | sum(t < k | where(t <= l, x[i, j, t], 0))]));
fn products(x: real[n, m, k]) -> (real, real, real) =
  (off(cumprod(x, axis = -3), [i < n, j, l | prod(t < n | where(t <= i, x[t, j, l], 1))]),
   off(cumprod(x, -2), [i, j < m, l | prod(t < m | where(t <= j, x[i, t, l], 1))]),
   off(cumprod(x), [i, j, l < k | prod(t < k | where(t <= l, x[i, j, t], 1))]));
fn moved(x: real[n, m, k]) -> (real[m, k, n], real[k, n, m], real[n, m, k]) =
  (moveaxis(x, 0, 2), moveaxis(x, -1, 0), moveaxis(x, 1, 1));
fn sizes(x: real[n, m]) -> (real[n, m], real[n, m], real[n], real[m, n]) =
  (cumsum(x, axis = 0), cumprod(x), norm(x, axis = 1), moveaxis(x, 0, 1));

# The derivatives of cumprod, which products without a division tell.
fn weighed(y: real[n, m]) -> real = sum([i, j | real(i + 2 * j + 1) * y[i, j]]);
fn running(x: real[n, m]) -> real = weighed(cumprod(x, axis = 0));
fn one_by_one(x: real[n, m]) -> real =
  weighed([i < n, j | fold(t < n, p = 1.0 | if t <= i { p * x[t, j] } else { p })]);
fn first(x: real[n, m]) -> real = off(grad(running)(x), grad(one_by_one)(x));
fn second(x: real[n, m]) -> real = off(hessian(running)(x), hessian(one_by_one)(x));
fn third(x: real[n, m]) -> real =
  off(hessian(fn(y: real[n, m]) = sum(grad(running)(y) * sin(y)))(x),
      hessian(fn(y: real[n, m]) = sum(grad(one_by_one)(y) * sin(y)))(x));

fn smooth(x: real[n, m]) -> real = sum(sin(norm(x, axis = 1))) + sum(std(x, axis = 0)^3) +
  weighed(cumsum(x^2, axis = 0));
export grad(smooth), hessian(smooth) as curved, grad(running) as slope;
N
accept "$NNCC" check m.nn

x='[[[1, 2, 0], [3, -1, 2]], [[0.5, 4, 1], [2, 2, -3]], [[-1, 0, 3], [0, 1, 2]], [[1, 1, 2], [0, 5, 1]]]'
for f in norms sums products; do
    near "{\"${f}_0\": 0, \"${f}_1\": 0, \"${f}_2\": 0}" $f x="$x"
done
near '{"spreads_0": 0, "spreads_1": 0, "spreads_2": 0}' spreads x='[[1, 2, 6], [3, -1, 5]]'
near '{"of_all_0": [[5]], "of_all_1": 5.0990195135927845}' of_all x='[[3, 0], [-4, 0]]'
near '{"moved_0": [[[1], [2]], [[3], [4]]], "moved_1": [[[1, 3]], [[2, 4]]], "moved_2": [[[1, 2], [3, 4]]]}' \
    moved x='[[[1, 2], [3, 4]]]'
near '{"sizes_0": [[], []], "sizes_1": [[], []], "sizes_2": [0, 0], "sizes_3": []}' \
    sizes x='{"shape": [2, 0], "data": []}'
near '{"sizes_0": [], "sizes_1": [], "sizes_2": [], "sizes_3": [[], []]}' \
    sizes x='{"shape": [0, 2], "data": []}'

# Zero factors: one, two, a column of them.
for x in '[[0, 2], [2, 0], [3, 0]]' '[[2, 0], [0, 0], [0, 0], [3, 0]]' '[[0, 1]]'; do
    for f in first second third; do
        near "{\"$f\": 0}" $f x="$x"
    done
done
near '{"d_x": [[23], [0], [0]]}' slope x='[[0], [2], [3]]'
