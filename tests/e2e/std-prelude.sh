# std-prelude.sh: every function of prelude.nn: values worked out by hand or by a
# comprehension that says what is meant, and derivatives.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
struct P { a: real[2], b: real }
fn t_norm(x: real[n], p: P) -> (real, real) = (norm(x), norm(p));
fn t_clamp(x: real[n]) -> real[n] = clamp(x, -1, 2);
fn t_like(x: real[n]) -> (real[n], real[n]) = (ones_like(x), zeros_like(x));
fn t_softmax(x: real[n]) -> (real[n], real[n]) = (softmax(x), log_softmax(x));
fn masked(x: real[n], k: int) -> real[n] = softmax([i < n | where(i < k, x[i], -inf)]);
fn columns(A: real[n, m]) -> (real[n, m], real[n, m]) =
  (softmax(A, axis = 0) - [i, j | exp(A[i, j]) / sum(k < n | exp(A[k, j]))],
   exp(log_softmax(A, axis = 0)) - softmax(A', axis = -1)');
fn t_spread(x: real[n]) -> (real, real) = (variance(x), std(x));
fn t_outer(a: real[n], b: real[m]) -> real[n, m] = outer(a, b);
fn t_eye(n: int) -> real[n, n] = eye(n);
fn t_diag(v: real[n]) -> real[n, n] = diag(v);
fn square(A: real[n, n]) -> (real[n], real, real[n, n], real[n, n]) =
  (diagonal(A), trace(A), tril(A), triu(A));
fn running(x: real[n]) -> (real[n], real[n]) = (cumsum(x), cumprod(x));
fn t_argsort(x: real[n]) -> int[n] = argsort(x);
fn t_sort(x: real[n]) -> real[n] = sort(x);
fn t_top(x: real[n], k: int) -> (real[k], int[k]) = top_k(x, k);
# How many pairs of neighbours are in the wrong order, and of equal ones
# exchanged; how many places are missing.
fn unsorted(n: int, of: int) -> (int, int) {
  let x = [i < n | floor(real(of) * sin(real(i * i + 1)))];
  let order = argsort(x);
  let y = x[order];
  (sum(i < n | if i > 0 {
     if y[i-1] > y[i] || (y[i-1] == y[i] && order[i-1] > order[i]) { 1 } else { 0 }
   } else {
     0
   }), sum(i < n | if any(j < n | order[j] == i) { 0 } else { 1 }))
}
fn t_solve(A: real[n, n], b: real[n]) -> real[n] = solve(A, b);
fn t_solves(A: real[n, n], B: real[n, m]) -> real[n, m] = solve(A, B);
fn t_inv(A: real[n, n]) -> real[n, n] = inv(A);
fn t_det(A: real[n, n]) -> real = det(A);
fn t_logdet(A: real[n, n]) -> real = logdet(A);
fn t_cholesky(A: real[n, n]) -> real[n, n] = cholesky(A);
# L U less the rows of A in the order that is given; is U's diagonal what det is.
fn factors(A: real[n, n]) -> (real[n, n], real) {
  let (M, order, sign) = lu(A);
  let L = [i < n, j < n | if i > j { M[i, j] } else { if i == j { 1.0 } else { 0.0 } }];
  (L @ triu(M) - A[order], sign * prod(diagonal(M)) - det(A))
}
fn lower(A: real[n, n], b: real[n]) -> (real[n], real[n]) =
  (tril(A) @ solve_lower(A, b) - b,
   (tril(A) - diag(diagonal(A)) + eye(n)) @ solve_lower(A, b, unit = true) - b);
fn upper(A: real[n, n], b: real[n]) -> real[n] = triu(A) @ solve_upper(A, b) - b;
fn uppers(A: real[n, n], B: real[n, m]) -> real[n, m] = triu(A) @ solve_upper(A, B) - B;

# Derivatives at matrices that have what is asked for.
fn good(A: real[n, n]) -> real[n, n] = A @ A' / real(n) + eye(n);
fn d_solve(A: real[n, n], b: real[n]) -> real[n] = solve(good(A) + tril(A), b);
fn d_solves(A: real[n, n], B: real[n, m]) -> real[n, m] = solve(good(A), B);
fn d_inv(A: real[n, n]) -> real[n, n] = inv(good(A));
fn d_det(A: real[n, n]) -> real = det(good(A));
fn d_logdet(A: real[n, n]) -> real = logdet(good(A));
fn d_cholesky(A: real[n, n]) -> real[n, n] = cholesky(good(A));
fn d_triangles(A: real[n, n], b: real[n]) -> (real[n], real[n], real[n]) =
  (solve_lower(good(A), b), solve_upper(good(A), b), solve_lower(good(A), b, unit = true));
fn d_sorted(x: real[n]) -> real = sum(i < n | real(i) * sort(x)[i]);
fn d_first(x: real[5]) -> real[2] = top_k(x, 2).0;
fn d_scores(A: real[n, m]) -> (real[n, m], real[n, m]) =
  (softmax(A, axis = 0), log_softmax(A, axis = 1));
export unsorted;
export vjp(t_norm, x, p), vjp(t_clamp), vjp(masked, x), vjp(d_scores), vjp(t_spread);
export vjp(t_outer, a, b), vjp(t_diag), vjp(square), vjp(running), jvp(running);
export vjp(t_sort), grad(d_sorted), vjp(d_first), jvp(t_sort);
export vjp(d_solve, A, b), vjp(d_solves, A, B), vjp(d_inv), grad(d_det), grad(d_logdet);
export vjp(d_cholesky), vjp(d_triangles, A, b), jvp(d_solve, A), jvp(d_cholesky), hessian(d_logdet);
N
accept "$NNCC" check m.nn

near '{"t_norm_0": 5, "t_norm_1": 3}' t_norm x='[3, -4]' p='{"a": [1, 2], "b": -2}'
near '{"t_clamp": [-1, -0.5, 2]}' t_clamp x='[-3, -0.5, 7]'
near '{"t_like_0": [1, 1], "t_like_1": [0, 0]}' t_like x='["inf", "nan"]'
near '{"t_softmax_0": [0.6037488961486257, 0.030058887569574023, 0.3661922162818002], "t_softmax_1": [-0.5045969023422836, -3.5045969023422834, -1.0045969023422834]}' t_softmax x='[1, -2, 0.5]'
near '{"t_softmax_0": [0.5, 0.5], "t_softmax_1": [-0.6931471805599453, -0.6931471805599453]}' t_softmax x='[1000, 1000]'
near '{"t_softmax_0": [1, 0], "t_softmax_1": [0, -2000]}' t_softmax x='[1000, -1000]'
near '{"t_softmax_0": [], "t_softmax_1": []}' t_softmax x='[]'
near '{"masked": [0.9525741268224334, 0.04742587317756678, 0]}' masked x='[1, -2, 7]' k=2
near '{"columns_0": [[0, 0], [0, 0]], "columns_1": [[0, 0], [0, 0]]}' columns A='[[1, 2], [3, -1]]'
near '{"t_spread_0": 1.7222222222222223, "t_spread_1": 1.3123346456686351}' t_spread x='[1, -2, 0.5]'
near '{"t_spread_0": 0, "t_spread_1": 0}' t_spread x='[7]'
near '{"t_outer": [[3, 4], [6, 8], [9, 12]]}' t_outer a='[1, 2, 3]' b='[3, 4]'
near '{"t_eye": [[1, 0], [0, 1]]}' t_eye n=2
near '{"t_eye": []}' t_eye n=0
near '{"t_diag": [[5, 0], [0, 6]]}' t_diag v='[5, 6]'
near '{"square_0": [1, 4], "square_1": 5, "square_2": [[1, 0], [3, 4]], "square_3": [[1, 2], [0, 4]]}' square A='[[1, 2], [3, 4]]'
near '{"running_0": [2, 5, 1], "running_1": [2, 6, -24]}' running x='[2, 3, -4]'
near '{"running_0": [], "running_1": []}' running x='[]'

near '{"t_argsort": [5, 1, 3, 2, 6, 0, 4]}' t_argsort x='[3, 1, 2, 1, 3, 0, 2]'
near '{"t_argsort": []}' t_argsort x='[]'
near '{"t_argsort": [0]}' t_argsort x='[5]'
near '{"t_argsort": [1, 0]}' t_argsort x='[5, -5]'
near '{"t_argsort": [0, 1]}' t_argsort x='[5, 5]'
near '{"t_sort": [-2, 0, 1, 1, 3]}' t_sort x='[3, 1, -2, 1, 0]'
near '{"t_top_0": [3, 1], "t_top_1": [0, 1]}' t_top x='[3, 1, -2, 1, 0]' k=2
near '{"t_top_0": [], "t_top_1": []}' t_top x='[3, 1]' k=0
for n in 3 8 33 257; do
    near '{"unsorted_0": 0, "unsorted_1": 0}' unsorted n=$n of=1000000
    near '{"unsorted_0": 0, "unsorted_1": 0}' unsorted n=$n of=3
done
near '{"d_x": [1, 2, 0]}' 'grad(d_sorted)' x='[1, 5, -2]'

# Solutions by Cramer's rule.
A='[[4, -2, 1], [-2, 5, 0.5], [1, 0.5, 3]]' B='[[0, 2, 1], [3, -1, 2], [1, 4, -5]]'
near '{"t_solve": [1.14375, 1.0125, -1.55]}' t_solve A="$A" b='[1, 2, -3]'
near '{"t_solve": [0.21276595744680848, 0.12765957446808512, 0.7446808510638299]}' t_solve A="$B" b='[1, 2, -3]'
near '{"t_solves": [[1.14375, 0.36875], [1.0125, 0.1625], [-1.55, -0.15]]}' t_solves A="$A" B='[[1, 1], [2, 0], [-3, 0]]'
near '{"t_inv": [[0.36875, 0.1625, -0.15], [0.1625, 0.275, -0.1], [-0.15, -0.1, 0.4]]}' t_inv A="$A"
near '{"t_det": 40}' t_det A="$A"
near '{"t_det": 47}' t_det A="$B"
near '{"t_det": -1}' t_det A='[[0, 1], [1, 0]]'
near '{"t_det": 0}' t_det A='[[0, 1], [0, 4]]'
near '{"t_det": 0}' t_det A='[[1, 2, 3], [2, 4, 6], [1, 1, 1]]'
near '{"t_det": 1}' t_det A='[]'
near '{"t_det": -7}' t_det A='[[-7]]'
near '{"d_A": [[-3, 17, 13], [14, -1, 2], [5, 3, -6]]}' 'grad(t_det)' A="$B"
# All derivatives of det by those of its formula, whatever the rank.
cat >kept.nn <m.nn
cat >m.nn <<'N'
fn formula(A: real[3, 3]) -> real =
  A[0, 0] * (A[1, 1] * A[2, 2] - A[1, 2] * A[2, 1]) +
  A[0, 1] * (A[1, 2] * A[2, 0] - A[1, 0] * A[2, 2]) +
  A[0, 2] * (A[1, 0] * A[2, 1] - A[1, 1] * A[2, 0]);
fn any(A: real[n, n]) -> real = det(A);
fn three(A: real[3, 3]) -> real = any(A);
fn first(f: fn(real[3, 3]) -> real, A: real[3, 3]) -> real[3, 3] = grad(f)(A);
fn along(f: fn(real[3, 3]) -> real, A: real[3, 3]) -> real[3, 3] =
  jvp(fn(B: real[3, 3]) = hvp(f)(B, A + [[1, 2, 3], [4, 5, 6], [7, 8, 10]]), B)(A, eye(3) - A).1;
fn off(A: real[3, 3]) -> real[4] =
  [det(A) - formula(A),
   max(abs(first(three, A) - first(formula, A))),
   max(abs(hessian(three)(A) - hessian(formula)(A))),
   max(abs(along(three, A) - along(formula, A)))];
export grad(any) as g;
N
near '{"off": [0, 0, 0, 0]}' off A='[[1, 2, 3], [2, 4, 6], [1, 1, 1]]'
near '{"off": [0, 0, 0, 0]}' off A='[[1, -2, 3], [2, -4, 6], [-1, 2, -3]]'
near '{"off": [0, 0, 0, 0]}' off A='[[0, 0, 0], [0, 0, 0], [0, 0, 0]]'
near '{"d_A": [[1]]}' g A='[[0]]'
near '{"d_A": []}' g A='[]'
near '{"d_A": [[4, -2], [-2, 1]]}' g A='[[1, 2], [2, 4]]'
near '{"d_A": [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, -6], [0, 0, 0, 0]]}' g A='[[1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0, 0], [0, 0, 3, 0]]'
mv kept.nn m.nn
near '{"t_logdet": 3.8501476017100584}' t_logdet A="$B"
near '{"t_logdet": "-inf"}' t_logdet A='[[0, 1], [0, 4]]'
near '{"t_cholesky": [[2, 0, 0], [-1, 2, 0], [0.5, 0.5, 1.5811388300841898]]}' t_cholesky A="$A"
near '{"t_cholesky": [[3]]}' t_cholesky A='[[9]]'
near '{"t_solve": [2]}' t_solve A='[[4]]' b='[8]'
near '{"t_solve": []}' t_solve A='[]' b='[]'
zero='[[0, 0, 0], [0, 0, 0], [0, 0, 0]]'
for M in "$A" "$B" '[[1, 2, 3], [2, 4, 6], [1, 1, 1]]' "$zero"; do
    near '{"factors_0": '"$zero"', "factors_1": 0}' factors A="$M"
done
near '{"lower_0": [0, 0, 0], "lower_1": [0, 0, 0]}' lower A="$A" b='[1, 2, -3]'
near '{"upper": [0, 0, 0]}' upper A="$A" b='[1, 2, -3]'
near '{"uppers": [[0, 0], [0, 0], [0, 0]]}' uppers A="$A" B='[[1, 2], [-3, 4], [0, 9]]'
# Nearly singular: 2^-26 from it.
near '{"t_solve": [-67108863, 67108864]}' t_solve A='[[1, 1], [1, 1.000000014901161193847656]]' b='[1, 2]'
accept "$NNCC" run --real=f64 m.nn t_solve A='[[1, 2], [2, 4]]' b='[1, 1]'
grep -q 'inf\|nan' out.txt || fail "a singular system is solved: $(cat out.txt)"
# Each function makes the factors once, and nothing is larger than A.
cat >solve.nn <<'N'
fn f(A: real[n, n], b: real[n]) -> real[n] = solve(A, b);
export f, vjp(f, A, b);
N
accept "$NNCC" solve.nn --dump=kernels
[ "$(grep -c '= factor_lu' out.txt)" = "$(grep -c '^function' out.txt)" ] || fail "not one factorisation each"
if grep -q 'for t < n\|n^3' out.txt; then fail "a loop, or n^3 numbers"; fi

# What argsort needs inside is nobody else's name.
cat >m.nn <<'END'
fn outside(v: real[n]) -> int[n] = exchange(v, iota(n), 1, 0, 1);
END
refuse 1 "nothing here is called 'exchange'" "$NNCC" m.nn
