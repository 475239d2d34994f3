# std-linear.sh: what solves and factorises in prelude.nn: values by numpy
# (tests/values/linear.py), derivatives of all orders, singular matrices, and that one
# matrix is factorised once.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
fn matrix(n: int) -> real[n, n] =
  [i < n, j < n | sin(real(3 * i + 5 * j + i * j)) + if i == j { 2.0 } else { 0.0 }];
fn positive(A: real[n, n]) -> real[n, n] = A @ A' / real(n) + eye(n);
fn right(n: int) -> real[n] = [i < n | cos(real(i))];
fn general(n: int) {
  let A = matrix(n);
  let (sign, log) = slogdet(A);
  (solve(A, right(n)), solve_transposed(A, right(n)), inv(A)[0], det(A), cofactors(A)[0],
   sign, log)
}
fn definite(n: int) {
  let S = positive(matrix(n));
  (solve_spd(S, right(n)), inv_spd(S)[0], logdet_spd(S), cholesky(S)[n-1])
}
fn large(n: int) {
  let A = 1000 * matrix(n);
  let (sign, log) = slogdet(A);
  let G = 1000 * grad(logdet)(A);
  (sign, log, logdet_spd(positive(A)), sum(G), norm(G))
}
# Twice what is asked for by other ways, less it.
fn factors(A: real[n, n], B: real[n, m]) {
  let (M, order, sign) = lu(A);
  let S = positive(A);
  (A @ lu_solve(M, order, B) - B, A' @ lu_solve_transposed(M, order, B) - B,
   S @ cholesky_solve(cholesky(S), B) - B, order[inverse_order(order)] - iota(n),
   fold_lower(S) - tril(S + S') + diag(diagonal(S)))
}
fn singular(A: real[n, n]) -> (real[n], real[n], real[n, n], real[n, n]) =
  (solve(A, ones_like(A[0])), solve_transposed(A, ones_like(A[0])), inv(A), grad(logdet)(A));
fn not_positive(A: real[n, n]) -> (real[n], real[n, n], real) =
  (solve_spd(A, ones_like(A[0])), inv_spd(A), logdet_spd(A));
fn signs(A: real[n, n]) -> (real, real) = slogdet(A);

fn rows(A: real[k, n, n], b: real[k, n]) =
  ([i | solve(A[i], b[i])], [i | logdet(A[i])], [i | inv(A[i])], [i | cofactors(A[i])],
   [i | solve_spd(positive(A[i]), b[i])], [i | logdet_spd(positive(A[i]))]);
fn by_row(A: real[2, n, n], b: real[2, n]) {
  let (x, l, B, C, y, m) = rows(A, b);
  fn one(A: real[n, n], b: real[n]) =
    (solve(A, b), logdet(A), inv(A), cofactors(A), solve_spd(positive(A), b),
     logdet_spd(positive(A)));
  let (x1, l1, B1, C1, y1, m1) = one(A[1], b[1]);
  (x[1] - x1, l[1] - l1, B[1] - B1, C[1] - C1, y[1] - y1, m[1] - m1)
}
N
{ grep '^fn positive' m.nn && sed -n '/^fn rows/,/^fn by_row/p' m.nn | sed '$d' && cat <<'N'; } >d.nn
# Derivatives; where a matrix is symmetric, by all of it.
fn d_solve(A: real[n, n], b: real[n]) -> (real[n], real[n]) = (solve(A, b), solve_transposed(A, b));
fn d_solves(A: real[n, n], B: real[n, m]) = (solve(A, B), solve_transposed(A, B));
fn d_inv(A: real[n, n]) -> (real[n, n], real[n, n]) = (inv(A), cofactors(A));
fn d_logs(A: real[n, n]) -> (real, real, real) = (logdet(A), det(A), slogdet(A).1 * slogdet(A).0);
fn d_spd(A: real[n, n], b: real[n]) = (solve_spd(positive(A), b), logdet_spd(positive(A)));
fn d_spds(A: real[n, n], B: real[n, m]) = (solve_spd(positive(A), B), inv_spd(positive(A)));
# The lower triangle alone is read.
fn d_lower(A: real[n, n], b: real[n]) =
  (solve_spd(A, b), logdet_spd(A), inv_spd(A), cholesky(A));
fn scalar(A: real[n, n], b: real[n]) -> real =
  dot(b, solve(A, b)) + dot(solve_spd(positive(A), b), solve_transposed(A, b)) + logdet(A)
    + logdet_spd(positive(A)) + sum(inv(A)) + sum(inv_spd(positive(A)));
fn second(A: real[n, n], b: real[n]) -> real[n, n] = grad(scalar, A)(A, b);
fn third(A: real[n, n], b: real[n]) -> real =
  sum(grad(fn(B: real[n, n]) = sum(sin(second(B, b))))(A));
export vjp(d_solve, A, b), jvp(d_solve, A, b), vjp(d_solves, A, B), vjp(d_inv), jvp(d_inv);
export vjp(d_logs), jvp(d_logs), vjp(d_spd, A, b), jvp(d_spd, A, b), vjp(d_spds, A, B);
export vjp(d_lower, A, b), jvp(d_lower, A, b), hvp(scalar, A), hvp(scalar, b) as by_b, vjp(second, A);
export grad(third, A), vjp(rows, A, b), jvp(rows, A, b);
N
accept "$NNCC" check d.nn

near '{"general_0": [0.7519931242104549, 0.2979602858719361, -0.0027524689487749797, -0.3379461909895875], "general_1": [0.5648172716054796, 0.2741404368005239, -0.12085559020683453, -0.49036909540954576], "general_2": [0.5349705340915486, 0.13288797945118752, 0.06238842859472303, -0.1729161141967751], "general_3": 41.614925803720524, "general_4": [22.262759083396535, -1.0789943926940617, 3.360110005340651, -3.2559358639165437], "general_5": 1.0, "general_6": 3.728458896274939}' general n=4
near '{"general_0": [0.7094043052807082, -0.3762954429995235, 0.2645208032911456, -0.49288808938841105, 0.5097976257102048, 0.38949329469050525, 0.7379223470114504], "general_1": [0.12614673066492227, 0.6848301239658373, -0.5965473594277334, -0.03673017879715, -0.9499859426178723, -0.04039090761384341, -0.021365077668819323], "general_2": [0.3068858614706783, 0.3139844153733177, -0.15331955044126455, 0.06329120982982521, -0.4569354296653965, -0.028143418076501253, -0.061409303096201295], "general_3": 541.0897543249246, "general_4": [166.05279538896215, -157.10070422329449, 40.410012867272336, -50.25056414650168, 228.41639758385304, 68.48127948164297, 87.51777822529817], "general_5": 1.0, "general_6": 6.293585169568155}' general n=7
near '{"definite_0": [0.6422468069046394, 0.3302985019727493, -0.05564026746795026, -0.4482352796406708], "definite_1": [0.4978296417538701, 0.060779602282817216, 0.0745602811702685, -0.1440473857310881], "definite_2": 4.078585003314858, "definite_3": [0.6070003175763509, 0.13549538623975987, 0.3490024281975204, 1.7375752226137706]}' definite n=4
near '{"definite_0": [0.8873186153209109, 0.3956383006415473, -0.16790439081668035, -0.6527965266741826, -0.3983925896224996, 0.1232821025145585, 0.7224842458410032], "definite_1": [0.5744885302576119, 0.057420566182329325, 0.01983593698889573, -0.14259332738444022, 0.004257342176170899, -0.02242762955973215, 0.16459436015773296], "definite_2": 5.367583733297823, "definite_3": [-0.40951563186412665, 0.00042597956412289943, 0.015593038596211046, 0.4658806437746064, -0.21409605949520377, -0.18525528672382996, 1.425657527003095]}' definite n=7
near '{"large_0": 1.0, "large_1": 4733.578437828556, "large_2": 6363.795330682205, "large_3": 1.1631833175907822, "large_4": 309.84172093703927}' large n=500
near '{"signs_0": -1, "signs_1": 1.0986122886681098}' signs A='[[0, 1], [3, 4]]'
near '{"signs_0": 1, "signs_1": 0}' signs A='[]'
A='[[2, -1, 0.5], [4, 1, -3], [1, 6, 2]]' B='[[1, 2], [3, -1], [0, 4]]'
zero='[[0, 0], [0, 0], [0, 0]]' zero3='[[0, 0, 0], [0, 0, 0], [0, 0, 0]]'
near '{"factors_0": '"$zero"', "factors_1": '"$zero"', "factors_2": '"$zero"', "factors_3": [0, 0, 0], "factors_4": '"$zero3"'}' factors A="$A" B="$B"
near '{"by_row_0": [0, 0, 0], "by_row_1": 0, "by_row_2": '"$zero3"', "by_row_3": '"$zero3"', "by_row_4": [0, 0, 0], "by_row_5": 0}' by_row A="[[[1, 2, 3], [0, 1, 4], [5, 6, 0]], $A]" b='[[1, 2, 3], [3, -1, 2]]'

# Singular, not positive definite.
near '{"signs_0": 0, "signs_1": "-inf"}' signs A='[[1, 2], [2, 4]]'
near '{"cofactors": [[4, -2], [-2, 1]]}' 'cofactors' A='[[1, 2], [2, 4]]'
near '{"cofactors": [[4, 0], [-1, 0]]}' 'cofactors' A='[[0, 1], [0, 4]]'
accept "$NNCC" run --real=f64 m.nn singular A='[[1, 2], [2, 4]]'
[ "$(tr , '\n' <out.txt | grep -c 'inf\|nan')" -ge 8 ] || fail "of a singular matrix: $(cat out.txt)"
near '{"not_positive_0": ["nan", "nan"], "not_positive_1": [["nan", "nan"], ["nan", "nan"]], "not_positive_2": "nan"}' not_positive A='[[1, 2], [2, 3]]'

# One factorisation, whatever is asked for, with derivatives; an inverse once.
cat >once.nn <<'N'
fn all(A: real[n, n], b: real[n]) -> real {
  let (sign, log) = slogdet(A);
  sign * log + det(A) + logdet(A) + dot(b, solve(A, b)) + sum(inv(A))
    + sum(cofactors(A)) + b[0] * solve_transposed(A, b)[0]
}
fn all_spd(A: real[n, n], b: real[n]) -> real =
  dot(b, solve_spd(A, b)) + logdet_spd(A) + sum(inv_spd(A)) + sum(cholesky(A));
# The logarithm of the likelihood of a Gaussian process, and its gradient.
fn process(K: real[n, n], y: real[n]) -> real =
  -0.5 * (dot(y, solve_spd(K, y)) + logdet_spd(K) + real(n) * log(2 * pi));
fn quadratic(A: real[n, n], b: real[n]) -> real = logdet(A) + dot(b, inv(A) @ b);
export all, value_and_grad(all, b) as g, all_spd, value_and_grad(all_spd, A, b) as gs;
export value_and_grad(process, K) as gp, value_and_grad(quadratic, A) as gq;
export grad(quadratic, A) as gq2;
N
# count FUNCTION OPERATOR: how many of that operator there are.
count() {
    "$NNCC" once.nn --dump=expanded | awk -v f="# $1" -v op=" = $2(" '
        /^#/ { on = $0 == f } on && index($0, op) { n++ } END { print n + 0 }'
}
for f in all g gq gq2; do
    [ "$(count $f factor_lu)" = 1 ] || fail "$f factorises $(count $f factor_lu) times"
done
for f in all_spd gs gp; do
    [ "$(count $f factor_cholesky)" = 1 ] || fail "$f factorises $(count $f factor_cholesky) times"
done
# Two triangles for y; the inverse is made of the factor at once.
[ "$(count gp factor_substitute)" = 2 ] && [ "$(count gp factor_cholesky_tangent)" = 1 ] ||
    fail "a Gaussian process: $("$NNCC" once.nn --dump=expanded)"
