# language-stencils.sh: neighbours that are read only where a condition says
# that they are there.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
fn ends(v: real[n]) -> real[n] =
  [i < n | if i == 0 { v[0] } else if i == n - 1 { v[-1] } else { v[i-1] - 2 * v[i] + v[i+1] }];
fn inside(u: real[n, m]) -> real[n, m] =
  [i < n, j < m | if i > 0 && i < n - 1 && j > 0 && j < m - 1 {
    u[i+1, j] * u[i-1, j+1] + u[i, j-1]
  } else { u[i, j] / 2 }];
fn pairs(v: real[n]) -> real[n] = [i < n | if 2 * i + 1 < n { v[2*i] * v[2*i+1] } else { 1 }];
fn ratio(v: real[n], a: real) -> real[n] = [i < n | if i > 0 { a * log(v[i-1]) / v[i-1] } else { a }];
fn lazy(v: real[n]) -> real[n] = [i < n | if i > 0 && v[i-1] > 0 { log(v[i-1]) } else { 0 }];
fn below(A: real[n, n]) -> real[n] = [i < n | if i > 0 { A[i, i-1] } else { A[0, 0] }];
fn common(v: real[n], w: real[m]) -> real[n] = [i < n | if i < m { v[i] * w[i] } else { v[i] }];
fn same(u: real[n, m], k: real[3, 3]) -> real[n, m] =
  [i < n, j < m | sum(p < 3, q < 3 |
    if i + p > 0 && i + p < n + 1 && j + q > 0 && j + q < m + 1 { u[i+p-1, j+q-1] * k[p, q] } else { 0 })];
fn heat(u: real[n, m], T: int) -> real[n, m] =
  fold(t < T, v = u | [i < n, j < m |
    if i > 0 && i < n - 1 && j > 0 && j < m - 1 {
      v[i, j] + 0.1 * (v[i+1, j] + v[i-1, j] + v[i, j+1] + v[i, j-1] - 4 * v[i, j])
    } else { v[i, j] }]);
fn sum_ratio(v: real[n], a: real) -> real = sum(ratio(v, a));
fn heat_loss(u: real[n, m], T: int) -> real = sum(heat(u, T)^2);
export ends, inside, pairs, ratio, lazy, below, common, same, heat;
export vjp(ends) as ends_vjp;
export vjp(inside) as inside_vjp;
export jvp(inside) as inside_jvp;
export vjp(pairs) as pairs_vjp;
export vjp(below) as below_vjp;
export vjp(same, u, k) as same_vjp;
export grad(sum_ratio, v, a) as ratio_grad;
export grad(heat_loss) as heat_grad;
N
accept "$NNCC" m.nn --dump=simplified
if grep -E 'index_check|gather|scatter' out.txt; then fail "not all are views"; fi
is '{"ends": []}' ends v='[]'
is '{"ends": [5]}' ends v='[5]'
is '{"ends": [5, 2]}' ends v='[5,2]'
is '{"ends": [1, 1, 2, 8]}' ends v='[1,2,4,8]'
is '{"inside": [[0.5, 1], [1.5, 2]]}' inside u='[[1,2],[3,4]]'
is '{"pairs": [2, 12, 1, 1, 1]}' pairs v='[1,2,3,4,5]'
is '{"pairs": [1]}' pairs v='[1]'
is '{"ratio": [3, 0, 0]}' ratio v='[1,1,5]' a=3
is '{"lazy": [0, 0, 0]}' lazy v='[1,-1,0]'
is '{"below": [1, 4, 8]}' below A='[[1,2,3],[4,5,6],[7,8,9]]'
is '{"below": []}' below A='[]'
is '{"common": [2, 2, 3]}' common v='[1,2,3]' w='[2]'
is '{"common": [2, 2]}' common v='[1,2]' w='[2,1,7]'
is '{"same": [[18, 14], [11, 4]]}' same u='[[1,2],[3,4]]' k='[[0,0,0],[0,1,2],[0,3,1]]'
is '{"heat": [[0, 0, 0], [0, 6, 0], [0, 0, 0]]}' heat u='[[0,0,0],[0,10,0],[0,0,0]]' T=1
near '{"d_u": [[0, 1.2, 0], [1.2, 7.2, 1.2], [0, 1.2, 0]]}' 'grad(heat_loss)' u='[[0,0,0],[0,10,0],[0,0,0]]' T=1
# What is not there is nobody's: no infinity of it gets into a derivative.
is '{"d_v": [3, 0], "d_a": 1}' 'grad(sum_ratio, v, a)' v='[1,0]' a=3
accept "$NNCC" check m.nn

# A condition that says too little: still told when it is called.
cat >m.nn <<'N'
fn back(v: real[n], i: int) -> real = v[i-1];
fn loose(v: real[n], c: bool) -> real[n] = [i < n | if i > 0 || c { v[i-1] } else { 0 }];
fn twice(v: real[n]) -> real[n] =
  [i < n | (if i > 0 { back(v, i) } else { 0 }) + (if v[i] > 0 { back(v, i) } else { 0 })];
export loose, twice;
N
is '{"loose": [0, 1]}' loose v='[1,2]' c=false
refuse 1 'index out of range' "$NNCC" run m.nn loose v='[1,2]' c=true
is '{"twice": [0, -2]}' twice v='[-1,2]'
refuse 1 'index out of range' "$NNCC" run m.nn twice v='[1,2]'
