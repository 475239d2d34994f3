# language-sparse.sh: Jacobians and Hessians without the zeros that are known,
# against those with them; how many passes they take.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
# The matrix with its zeros; are its rows in order, and nothing twice.
fn full(start: int[m+1], column: int[e], value: real[e], n: int) -> real[m, n] =
  [r < m, j < n | sum(k < e | if start[r] <= k && k < start[r+1] && column[k] == j { value[k] } else { 0 })];
fn rising(start: int[m+1], column: int[e]) -> bool =
  start[0] == 0 && all(r < m | start[r] <= start[r+1])
  && all(r < m, k < e | k <= start[r] || k >= start[r+1] || column[max(k-1, 0)] < column[k]);
# 1 at j and 0 elsewhere: what dense matrices that are made as sparse ones are is held
# against directional derivatives.
fn unit(n: int, j: int) -> real[n] = [i < n | where(i == j, 1.0, 0.0)];
fn unit2(n: int, j: int, k: int) -> real[n, 2] = [i < n, l < 2 | where(i == j && l == k, 1.0, 0.0)];
# How far the two are apart, -1 where rows are out of order; entries; room for them.
fn verdict(start: int[m+1], column: int[e], value: real[e], D: real[m, n]) -> (real, int, int) =
  (if rising(start, column) { max(concat([0], reshape(abs(full(start, column, value, n) - D), [m*n]))) } else { -1 },
   start[-1], e);

fn rows(x: real[n, 3], w: real[3]) -> real[n, 2] =
  [i < n | [dot(x[i], w), exp(x[i, 0]) * w[1]]];
fn at_rows(x: real[n, 3], w: real[3]) -> (real, int, int) {
  let (s, c, v) = sparse_jacobian(rows, x)(x, w);
  verdict(s, c, v, reshape(jacobian(rows, x)(x, w), [n*2, n*3]))
}
fn rows_all(x: real[n, 3], w: real[3]) -> (real, int, int) {
  let (s, c, v) = sparse_jacobian(rows, x, w)(x, w);
  let (D, E) = jacobian(rows, x, w)(x, w);
  verdict(s, c, v, concat(reshape(D, [n*2, n*3]), reshape(E, [n*2, 3]), axis = 1))
}

fn stencil(u: real[n], h: real) -> real[n] =
  [i < n | (if i > 0 { u[i-1] } else { 0.0 }) - 2 * exp(u[i]) + (if i < n - 1 { u[i+1] } else { 0.0 }) * h];
fn at_stencil(u: real[n], h: real) -> (real, int, int) {
  let (s, c, v) = sparse_jacobian(stencil, u)(u, h);
  verdict(s, c, v, jacobian(stencil, u)(u, h))
}

# Of what flows between neighbours: differences of differences.
fn flux(u: real[n+2]) -> real[n] {
  let q = [i < n + 1 | sin(u[i+1] - u[i])];
  [i < n | q[i+1] - q[i]]
}
fn at_flux(u: real[n+2]) -> (real, int, int) {
  let (s, c, v) = sparse_jacobian(flux)(u);
  verdict(s, c, v, jacobian(flux)(u))
}

fn ring(u: real[n]) -> real[n] = [i < n | u[(i + 1) % n] * u[i] - u[(i + n - 1) % n]];
fn at_ring(u: real[n]) -> (real, int, int) {
  let (s, c, v) = sparse_jacobian(ring)(u);
  verdict(s, c, v, [j < n | jvp(ring)(u, unit(n, j)).1]')
}
fn dense_ring(u: real[n]) -> real =
  max(concat([0], reshape(abs(jacobian(ring)(u) - [j < n | jvp(ring)(u, unit(n, j)).1]'), [n*n])));
fn chosen(u: real[n]) -> real[n] = [i < n | if i > 0 { u[i] } else { 2.0 }] * sum(u);
fn at_chosen(u: real[n]) -> (real, int, int) {
  let (s, c, v) = sparse_jacobian(chosen)(u);
  verdict(s, c, v, jacobian(chosen)(u))
}

fn heat(u: real[n, m]) -> real[n, m] =
  [i < n, j < m | if i == 0 || j == 0 || i == n - 1 || j == m - 1 { u[i, j] } else {
    u[i-1, j] + u[i+1, j] + u[i, j-1] + u[i, j+1] - 4 * u[i, j]^2
  }];
fn at_heat(u: real[n, m]) -> (real, int, int) {
  let (s, c, v) = sparse_jacobian(heat)(u);
  verdict(s, c, v, reshape(jacobian(heat)(u), [n*m, n*m]))
}

# Shooting: some steps of Runge and Kutta's from each of n states, to the next.
fn pendulum(y: real[2], a: real) -> real[2] = [y[1], a - sin(y[0])];
fn rk(y: real[2], a: real, h: real) -> real[2] {
  let k1 = pendulum(y, a);
  let k2 = pendulum(y + h / 2 * k1, a);
  let k3 = pendulum(y + h / 2 * k2, a);
  let k4 = pendulum(y + h * k3, a);
  y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
}
fn shoot(x: real[n+1, 2], a: real[n], steps: int) -> real[n, 2] =
  [i < n | fold(t < steps, y = x[i] | rk(y, a[i], 0.1)) - x[i+1]];
fn at_shoot(x: real[n+1, 2], a: real[n], steps: int) -> (real, int, int) {
  let (s, c, v) = sparse_jacobian(shoot, x, a)(x, a, steps);
  let D = [j < n + 1, k < 2 | reshape(jvp(shoot, x)(x, a, steps, unit2(n + 1, j, k)).1, [n*2])];
  let E = [j < n | reshape(jvp(shoot, a)(x, a, steps, unit(n, j)).1, [n*2])];
  verdict(s, c, v, concat(reshape(D, [(n+1)*2, n*2])', E', axis = 1))
}
fn dense_shoot(x: real[n+1, 2], a: real[n], steps: int) -> (real, int, int) {
  let (s, c, v) = sparse_jacobian(shoot, x, a)(x, a, steps);
  let (D, E) = jacobian(shoot, x, a)(x, a, steps);
  verdict(s, c, v, concat(reshape(D, [n*2, (n+1)*2]), reshape(E, [n*2, n]), axis = 1))
}

fn chained(x: real[n]) -> real = sum(i < n - 1 | 100 * (x[i+1] - x[i]^2)^2 + (1 - x[i])^2);
fn at_chained(x: real[n]) -> (real, int, int) {
  let (s, c, v) = sparse_hessian(chained)(x);
  verdict(s, c, v, hessian(chained)(x))
}
fn terms(x: real[n, 2], w: real[n]) -> real = sum(i < n | w[i] * exp(x[i, 0] * x[i, 1]));
fn at_terms(x: real[n, 2], w: real[n]) -> (real, int, int) {
  let (s, c, v) = sparse_hessian(terms)(x, w);
  verdict(s, c, v, reshape(hessian(terms)(x, w), [n*2, n*2]))
}
fn springs(x: real[n, 2], a: int[p], b: int[p]) -> real =
  sum(e < p | (sum((x[a[e]] - x[b[e]])^2) - 1)^2);
fn at_springs(x: real[n, 2], a: int[p], b: int[p]) -> (real, int, int) {
  let (s, c, v) = sparse_hessian(springs)(x, a, b);
  let H = [j < n, k < 2 | hvp(springs)(x, a, b, unit2(n, j, k))];
  verdict(s, c, v, reshape(H, [n*2, n*2]))
}
fn dense_springs(x: real[n, 2], a: int[p], b: int[p]) -> (real, int, int) {
  let (s, c, v) = sparse_hessian(springs)(x, a, b);
  verdict(s, c, v, reshape(hessian(springs)(x, a, b), [n*2, n*2]))
}
fn picked(x: real[n], a: int[p]) -> real[p] = [k < p | x[a[k]] * x[a[(k + 1) % p]]];
fn at_picked(x: real[n], a: int[p]) -> (real, int, int) {
  let (s, c, v) = sparse_jacobian(picked)(x, a);
  verdict(s, c, v, [j < n | jvp(picked)(x, a, unit(n, j)).1]')
}

# No structure: what is sorted, or comes from all.
fn sorted(x: real[n]) -> real[n] = sort(x) * sum(x);
fn at_sorted(x: real[n]) -> (real, int, int) {
  let (s, c, v) = sparse_jacobian(sorted)(x);
  verdict(s, c, v, jacobian(sorted)(x))
}
fn constant(x: real[n]) -> real[3] = [1, 2, floor(sum(x))];
export rows, stencil, heat, shoot, chained, springs, flux, grad(chained), grad(springs), grad(terms);
export sparse_jacobian(rows, x, w) as J_rows, sparse_jacobian(stencil) as J_stencil,
  sparse_jacobian(flux) as J_flux, sparse_jacobian(heat) as J_heat,
  sparse_jacobian(shoot, x) as J_shoot, sparse_hessian(chained) as H_chained,
  sparse_hessian(springs) as H_springs, sparse_jacobian(ring) as J_ring,
  sparse_jacobian(sorted) as J_sorted, sparse_jacobian(picked) as J_picked;
export jacobian(shoot, x) as D_shoot, hessian(springs) as D_springs, jacobian(picked) as D_picked;
N
# right ENTRIES ROOM FUNCTION ARGUMENT…: equal, in order, and not more than that.
right() {
    want="$1 $2"
    shift 2
    accept "$NNCC" run --real=f64 m.nn "$@"
    sed 's/.*_0": \(.*\), ".*_1": \(.*\), ".*_2": \(.*\)}/\1 \2 \3/' out.txt |
        awk -v want="$want" '{ exit !($1 >= 0 && $1 < 1e-9 && $2 " " $3 == want) }' ||
        fail "$(cat out.txt), expected $want: $*"
}
X='[[0.1,0.2,0.3],[0.4,-0.5,0.6],[0.7,0.8,-0.9]]'
right 12 12 at_rows x="$X" w='[1,-2,0.5]'
right 0 0 at_rows x='[]' w='[1,-2,0.5]'
right 24 24 rows_all x="$X" w='[1,-2,0.5]'
right 10 12 at_stencil u='[1,2,3,4]' h=2
right 1 3 at_stencil u='[1]' h=2
right 0 0 at_stencil u='[]' h=2
right 9 9 at_flux u='[1,2,3,4,5]'
right 0 0 at_flux u='[1,2]'
right 12 12 at_ring u='[1,2,3,4]'
right 4 6 at_ring u='[1,2]'
right 1 3 at_ring u='[1]'
right 20 72 at_heat u='[[1,2,3],[4,5,6],[7,8,9],[1,1,1]]'
right 1 6 at_heat u='[[1]]'
right 16 16 at_shoot x='[[1,2],[3,4],[5,6]]' a='[1,2]' steps=3
right 0 0 at_shoot x='[[1,2]]' a='[]' steps=3
right 16 16 at_shoot x='[[1,2],[3,4],[5,6]]' a='[1,2]' steps=0
right 10 12 at_chained x='[1,2,3,4]'
right 0 0 at_chained x='[1]'
right 8 8 at_terms x='[[1,2],[3,4]]' w='[1,2]'
right 28 64 at_springs x='[[0,1],[2,0],[1,1]]' a='[0,1,1,2]' b='[1,0,2,2]'
right 0 0 at_springs x='[[0,1],[2,0],[1,1]]' a='[]' b='[]'
right 28 64 dense_springs x='[[0,1],[2,0],[1,1]]' a='[0,1,1,2]' b='[1,0,2,2]'
right 16 16 dense_shoot x='[[1,2],[3,4],[5,6]]' a='[1,2]' steps=3
right 9 12 at_chosen u='[1,2,3]'
is '{"dense_ring": 0}' dense_ring u='[1,2,3,4,5]'
right 6 8 at_picked x='[1,2,3]' a='[0,1,1,0]'
right 9 9 at_sorted x='[3,1,2]'
is '{"jac_x_start": [0, 0, 0, 0], "jac_x_column": [], "jac_x": []}' 'sparse_jacobian(constant)' x='[1,2]'
is '{"jac_u_start": [0, 2, 4], "jac_u_column": [0, 1, 0, 1, 0, 0], "jac_u": [-2, 3, 1, -2, 0, 0]}' \
    'sparse_jacobian(stencil, u)' u='[0,0]' h=3
accept "$NNCC" check m.nn

# What is dense is told.
cat >d.nn <<'N'
fn sorted(x: real[n], y: real[n]) -> real[n] = sort(x) * sum(x) + y^2;
export sparse_jacobian(sorted, x, y) as J;
N
accept "$NNCC" d.nn --explain
[ "$(cat out.txt)" = 'd.nn:1:48: dense derivative: x[argsort(x)] * sum(x) + y * y -> x' ] ||
    fail "$(cat out.txt)"
accept "$NNCC" d.nn -o d.so
grep -q 'jac_x_y_column  result: i32\[n^2 + n\]' d.h || fail "$(grep column d.h)"

# As many passes as the elements of one part, however many parts there are.
accept "$NNCC" cost m.nn
awk '/^[^ ]/ { on = /^[JH]_/ && !/sorted/ } on && /n\^2|n\*m\^2|n\^2\*m|n\*p/' out.txt >more.txt
[ ! -s more.txt ] || fail "$(cat more.txt)"
most() {
    awk -v f="$1" -v most="$2" '/^[^ ]/ { on = $0 == f }
        on && /^  times/ { good = $3 <= most } END { exit !good }' out.txt ||
        fail "$1 takes more than $2 times its function"
}
most J_rows 5
most J_stencil 3
most J_flux 6
most J_heat 3
most J_shoot 5
most H_chained 4
most H_springs 5
# With all zeros, too, where loops and tables would be gone through for each of them.
most D_shoot 5
most D_springs 8
most D_picked 15

# Residuals of bundle adjustment: one pass over what was seen, 29 derivatives that are
# not always 0 for each.
cp "$ROOT/examples/bundle/bundle.nn" b.nn
cat >>b.nn <<'N'
export sparse_hessian(loss, s) as H;
N
accept "$NNCC" b.nn -o b.json
tr -d ' \n' <b.json | grep -q '"jac_s_column","type":"int\[29\*p\]"' ||
    fail "$(grep -A 3 jac_s_column b.json)"
accept "$NNCC" cost b.nn
awk '/^[^ ]/ { on = /^[JH]$/ } on && /[mnp]\^|[mn]\*p/' out.txt >more.txt
[ ! -s more.txt ] || fail "$(cat more.txt)"
most J 15
accept "$NNCC" check b.nn
grep -Eq '^J +jac_s +ok' out.txt || fail "$(cat out.txt)"

# What is refused.
cat >m.nn <<'N'
fn f(x: real[n], jac_x: real) -> real[n] = jac_x * x;
export sparse_jacobian(f, x);
N
refuse 1 "two things that 'f_sparse_jacobian' takes or gives are called 'jac_x'" "$NNCC" m.nn -o m.so
cat >m.nn <<'N'
fn f(x: real[n]) -> real[n] = x;
export f as J_pattern, sparse_jacobian(f, x) as J;
N
refuse 1 "'J_pattern' is exported twice" "$NNCC" m.nn -o m.so
cat >m.nn <<'N'
fn f(x: real[n]) -> real[n] = x;
export sparse_hessian(f, x) as H;
N
refuse 1 "'sparse_hessian' needs a function whose result is a real scalar" "$NNCC" m.nn -o m.so

# At a tie with a constant the constant has it, also of elements that are moved.
cat >m.nn <<'N'
fn turned(x: real[n]) -> real[n] = [i < n | max(x[(i - 1) % n], 0)];
fn rolled(x: real[n]) -> real[n] = roll(max(x, 0), 1);
N
for f in rolled turned; do
    is '{"jac_x": [[0, 0, 1], [0, 0, 0], [0, 0, 0]]}' "jacobian($f)" x='[0, -0.0, 2]'
done
