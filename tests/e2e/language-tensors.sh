# language-tensors.sh: indexing, reductions, elementwise and tensor functions, casts.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
struct P { a: real[2], b: real }
fn ix(A: real[3, 4]) -> (real, real[4], real[2, 2], real[2, 2], real[3]) = (A[1, 2], A[-1], A[1:, :2], A[:-1, -2:], A[:, 0]);
fn ix2(A: real[n, m], i: int) -> (real[m], real[n]) = (A[i], A[:, i]);
fn ix3(A: real[4]) -> (real[2], real[2], real[4]) = (A[::2], A[1::2], A[::-1]);
fn ix4(A: real[7]) -> (real[3], real[2], real[3]) = (A[0:6:2], A[1:5:2], A[2:5]);
fn gather(t: real[v, d], k: int[b]) -> real[b, d] = t[k];
fn gather2(t: real[n, m], i: int[b], j: int[b]) -> real[b] = t[i, j];
fn gather3(t: real[n, m], i: int[b]) -> real[b] = t[i, 0];
fn gather4(t: real[n, m], j: int[b]) -> real[n, b] = t[:, j];
fn gather5(t: real[n, m, k], i: int[b], j: int) -> real[b, k] = t[i, j];
fn gather6(t: real[n], i: int[b, c]) -> real[b, c] = t[i];
fn gather7(t: real[n, m], i: int[b, 1], j: int[c]) -> real[b, c] = t[i, j];
fn rest(A: real[n, m, k]) -> (real[n, m], real[m], real[n], real[k], real[m, n, k]) = (A[.., -1], A[0, .., 0], A[.., 0, 0], A[0, 0, ..], transpose(A, 1, 0, 2)[..]);
fn rest2(A: real[n, m, k], j: int[b]) -> (real[n, m, b], real[k, m], real[k]) = (A[.., j], [i, l | sum(A[.., l, i])], [i < k | sum(l | A[0, l, .., i])]);
fn ends(x: real[.., n]) -> real[..] = x[.., -1] - x[.., 0];
fn rest3(x: real[3], A: real[2, 3]) -> (real, real[2]) = (ends(x), ends(A));
fn lastrow(A: real[n, m]) -> real[m] = A[n - 1];
fn mid(A: real[n]) -> real[n - 2] = A[1:n-1];
fn half(x: real[2*h]) -> real[h] = x[:h] - x[h:];
fn halfs(x: real[h]) -> real[h/2] = x[:h/2];
fn evens(x: real[n]) -> real[(n + 1) / 2] = x[::2];
fn diffs(x: real[n+1]) -> real[n] = x[1:] - x[:-1];
fn red(A: real[2, 3, 4]) -> (real[2, 4], real[3], real[2], real, real[2, 3]) = (sum(A, axis = 1), sum(A, axis = (0, 2)), max(A, axis = (1, -1)), mean(A), min(A, axis = -1));
fn red2(A: real[n, m]) -> (real[n], real, int[n], int, int[m]) = (logsumexp(A, axis = 1), prod(A), argmax(A, axis = 1), argmax(A), argmin(A, axis = 0));
fn anyall(a: bool[n]) -> (bool, bool) = (any(a), all(a));
fn keep(A: real[n, m]) -> real[n, m] = A / sum(A, axis = 1, keepdims = true);
fn isum(a: int[n]) -> (int, int, int, int) = (sum(a), prod(a), max(a), min(a));
fn cnt(a: real[n]) -> int = sum(int(a > 0));
fn el(x: real) -> (real, real, real, real, real, real, real, real) = (exp(x), log(x), log1p(x), expm1(x), sqrt(x), rsqrt(x), abs(x), sign(x));
fn el2(x: real) -> (real, real, real, real, real, real, real, real, real) = (sin(x), cos(x), tan(x), asin(x), acos(x), atan(x), atan2(x, 2), sinh(x), cosh(x));
fn el3(x: real) -> (real, real, real, real, real, real, real) = (tanh(x), sigmoid(x), softplus(x), erf(x), erfc(x), lgamma(x), digamma(x));
fn el4(x: real) -> (real, real, real, real, real, real, real, real) = (floor(x), ceil(x), round(x), min(x, 1), max(1, x), clamp(x, 0, 0.25), pow(x, 2), hypot(3, 4 + 0 * x));
fn casts(x: real, i: int, j: i64, u: u8, b: bool) -> (int, real, i64, u8, real, f64, bool, int) = (int(x), real(i), i64(i) + j, u8(i), real(b), f64(x), bool(i), int(b));
fn lits(x: real) -> real[2, 2] = [[1, 2], [3, x]];
fn absint(i: int) -> (int, int, int, int) = (abs(i), min(i, 2), max(i, 2), clampi(i));
fn clampi(i: int) -> int = max(min(i, 10), -10);
fn shift(x: real[n], y: real[n + 1]) -> real[n] = x + y[1:];
fn dimint(x: real[n, m]) -> (int, real) = (n * m, real(n) / real(m));
fn cmp(x: int, y: int) -> (bool, bool, bool, bool, bool, bool) = (x < y, x <= y, x == y, x != y, x > y, x >= y);
fn tf(x: real[2, 3]) -> (real[6], real[3, 2], real[3, 2], real[4, 3], real[2, 3, 2]) = (reshape(x, [6]), transpose(x), transpose(x, 1, 0), concat(x, x), stack(x', x'));
fn tf2(x: real[2, 3]) -> (real[2, 3], real[2, 3], real[2, 6]) = (flip(x, axis = 0), flip(x, axis = 1), concat(x, x, axis = 1));
fn tf3(v: real[3]) -> (real[3, 3], real[3, 3], real, real[3, 3], real[5]) = (diag(v), eye(3), trace(eye(3)), outer(v, v), pad(v, 1, 1));
fn tf4(x: real[3]) -> (real[3], real[2, 3], real[3], real[2], int[3]) = (softmax(x), broadcast(x, [2, 3]), log_softmax(x), ones([2]), iota(3));
fn oh(y: int[b]) -> real[b, 3] = onehot(y, 3);
fn nrm(p: P) -> real = norm(p);
fn d64(x: f64) -> f64 = x / 3;
fn u8in(x: u8[n, 2]) -> real[n, 2] = real(x) / 255;
fn boolin(x: bool[n]) -> bool[n] = !x;
fn i64in(x: i64) -> i64 = x * x;
fn big(x: real[n], y: real[n, 1, 1], z: real[1, 1]) -> real[n, 1, n] = x + y + z;
N
accept "$NNCC" m.nn
A='[[0,1,2,3],[4,5,6,7],[8,9,10,11]]'
is '{"ix_0": 6, "ix_1": [8, 9, 10, 11], "ix_2": [[4, 5], [8, 9]], "ix_3": [[2, 3], [6, 7]], "ix_4": [0, 4, 8]}' ix A="$A"
is '{"ix2_0": [8, 9, 10, 11], "ix2_1": [2, 6, 10]}' ix2 A="$A" i=2
is '{"ix3_0": [1, 3], "ix3_1": [2, 4], "ix3_2": [4, 3, 2, 1]}' ix3 A='[1,2,3,4]'
is '{"ix4_0": [0, 2, 4], "ix4_1": [1, 3], "ix4_2": [2, 3, 4]}' ix4 A='[0,1,2,3,4,5,6]'
is '{"gather2": [7, 0]}' gather2 t="$A" i='[1,0]' j='[3,0]'
is '{"gather3": [4, 0]}' gather3 t="$A" i='[1,0]'
is '{"gather4": [[1, 0], [5, 4], [9, 8]]}' gather4 t="$A" j='[1,0]'
is '{"gather5": [[3, 4]]}' gather5 t='[[[1,2],[3,4]]]' i='[0]' j=1
is '{"gather6": [[1, 2], [2, 1]]}' gather6 t='[1,2]' i='[[0,1],[1,0]]'
is '{"gather7": [[1, 0, 3], [5, 4, 7]]}' gather7 t="$A" i='[[0],[1]]' j='[1,0,3]'
is '{"rest_0": [[1, 3], [5, 7]], "rest_1": [0, 2], "rest_2": [0, 4], "rest_3": [0, 1], "rest_4": [[[0, 1], [4, 5]], [[2, 3], [6, 7]]]}' rest A='[[[0,1],[2,3]],[[4,5],[6,7]]]'
is '{"rest2_0": [[[1], [3]], [[5], [7]]], "rest2_1": [[4, 8], [6, 10]], "rest2_2": [2, 4]}' rest2 A='[[[0,1],[2,3]],[[4,5],[6,7]]]' j='[1]'
is '{"rest3_0": 4, "rest3_1": [2, -6]}' rest3 x='[1,2,5]' A='[[0,1,2],[9,0,3]]'
is '{"lastrow": [8, 9, 10, 11]}' lastrow A="$A"
is '{"mid": [2, 3]}' mid A='[1,2,3,4]'
is '{"mid": []}' mid A='[1,2]'
is '{"half": [-2, -2]}' half x='[1,2,3,4]'
is '{"halfs": [1, 2]}' halfs x='[1,2,3,4,5]'
is '{"evens": [1, 3, 5]}' evens x='[1,2,3,4,5]'
is '{"diffs": [1, 1]}' diffs x='[1,2,3]'
is '{"red_0": [[12, 15, 18, 21], [48, 51, 54, 57]], "red_1": [60, 92, 124], "red_2": [11, 23], "red_3": 11.5, "red_4": [[0, 4, 8], [12, 16, 20]]}' red A='[[[0,1,2,3],[4,5,6,7],[8,9,10,11]],[[12,13,14,15],[16,17,18,19],[20,21,22,23]]]'
is '{"red2_0": [1.3132616], "red2_1": 0, "red2_2": [1], "red2_3": 1, "red2_4": [0, 0]}' red2 A='[[0,1]]'
is '{"anyall_0": true, "anyall_1": false}' anyall a='[true,false]'
is '{"anyall_0": false, "anyall_1": true}' anyall a='[]'
is '{"keep": [[0.25, 0.75]]}' keep A='[[1,3]]'
is '{"isum_0": 6, "isum_1": 6, "isum_2": 3, "isum_3": 1}' isum a='[1,2,3]'
is '{"cnt": 2}' cnt a='[1,-1,2]'
is '{"el4_0": 0, "el4_1": 1, "el4_2": 0, "el4_3": 0.5, "el4_4": 1, "el4_5": 0.25, "el4_6": 0.25, "el4_7": 5}' el4 x=0.5
is '{"casts_0": -2, "casts_1": 3, "casts_2": 4294967299, "casts_3": 3, "casts_4": 1, "casts_5": -2.5, "casts_6": true, "casts_7": 1}' casts x=-2.5 i=3 j=4294967296 u=7 b=true
is '{"lits": [[1, 2], [3, 4]]}' lits x=4
is '{"absint_0": 12, "absint_1": -12, "absint_2": 2, "absint_3": -10}' absint i=-12
is '{"shift": [3, 5]}' shift x='[1,2]' y='[1,2,3]'
is '{"dimint_0": 6, "dimint_1": 0.6666667}' dimint x='[[1,2,3],[4,5,6]]'
is '{"cmp_0": true, "cmp_1": true, "cmp_2": false, "cmp_3": true, "cmp_4": false, "cmp_5": false}' cmp x=1 y=2
is '{"tf_0": [1, 2, 3, 4, 5, 6], "tf_1": [[1, 4], [2, 5], [3, 6]], "tf_2": [[1, 4], [2, 5], [3, 6]], "tf_3": [[1, 2, 3], [4, 5, 6], [1, 2, 3], [4, 5, 6]], "tf_4": [[[1, 4], [2, 5], [3, 6]], [[1, 4], [2, 5], [3, 6]]]}' tf x='[[1,2,3],[4,5,6]]'
is '{"tf2_0": [[4, 5, 6], [1, 2, 3]], "tf2_1": [[3, 2, 1], [6, 5, 4]], "tf2_2": [[1, 2, 3, 1, 2, 3], [4, 5, 6, 4, 5, 6]]}' tf2 x='[[1,2,3],[4,5,6]]'
is '{"oh": [[0, 0, 1], [1, 0, 0]]}' oh y='[2, 0]'
is '{"tf3_0": [[1, 0, 0], [0, 2, 0], [0, 0, 3]], "tf3_1": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "tf3_2": 3, "tf3_3": [[1, 2, 3], [2, 4, 6], [3, 6, 9]], "tf3_4": [0, 1, 2, 3, 0]}' tf3 v='[1,2,3]'
is '{"nrm": 5}' nrm p='{"a":[3,0],"b":4}'
is '{"d64": 0.3333333333333333}' d64 x=1
is '{"u8in": [[1, 0.2]]}' u8in x='[[255, 51]]'
is '{"boolin": [false, true]}' boolin x='[true,false]'
is '{"i64in": 9000000000000000000}' i64in x=3000000000
is '{"big": [[[3, 4]], [[4, 5]]]}' big x='[1,2]' y='[[[1]],[[2]]]' z='[[1]]'
# Indices that the run gives count from the front.
refuse 1 'out of range' "$NNCC" run m.nn ix2 A="$A" i=-1
refuse 1 'out of range' "$NNCC" run m.nn gather t="$A" k='[2, 3]'
refuse 1 'out of range' "$NNCC" run m.nn oh y='[3]'

# Powers by half an odd number, of all there is: as pow has them.
cat >m.nn <<'N'
fn powers(x: real[n]) -> real[4, n] = stack(x^1.5, x^2.5, x^-1.5, x^-3.5);
fn total(x: real[n]) -> real = sum(x^1.5) - sum((x + 0.1)^-2.5);
export powers;
export grad(total);
export hessian(total) as curvature;
N
is '{"powers": [[8, 0, 0, "nan"], [32, 0, 0, "nan"], [0.125, "inf", "inf", "nan"], [0.0078125, "inf", "inf", "nan"]]}' powers x='[4,0,-0.0,-1]'
is '{"powers": [["inf", "inf"], ["inf", "inf"], [0, 0], [0, 0]]}' powers x='["inf","-inf"]'
accept "$NNCC" check m.nn

# A product and its diagonal are one value: points are at no distance from themselves.
# In a branch, and alone, the diagonal takes no product of matrices.
cat >m.nn <<'N'
fn points(n: int) -> real[n, 7] = [i < n, k < 7 | sin(real(7 * i + k) * 12.3)];
fn distances(x: real[n, 7]) -> real[n, n] { let G = x @ x'; [i < n, j < n | sqrt(G[i, i] + G[j, j] - 2 * G[i, j])] }
fn apart(n: int) -> bool = min(distances(points(n))) == 0;
fn largest(n: int) -> bool { let G = points(n) @ points(n)'; max(i < n | G[i, i]) == max(G) }
fn self(n: int) -> bool { let d = distances(points(n)); sum(d) > 0 && sum(d * eye(n)) == 0 }
fn steps(n: int) -> bool = fold(t < 3, s = 0.0 | s + sum(distances(points(n) + real(t)))) > 0;
fn batch(n: int) -> bool {
  let G = [b < 3, i < n, j < n | dot(points(n)[i] + real(b), points(n)[j] + real(b))];
  sum(b < 3, i < n, j < n | sqrt(G[b, i, i] + G[b, j, j] - 2 * G[b, i, j])) > 0
}
fn columns(v: real[n], t: real) -> real = sum(max(t * (t * diag(v)), axis = 0));
fn chosen(n: int, t: real) -> bool {
  let v = [i < n | 1.1 + sin(real(i))];
  max(abs(grad(columns, v)(v, t) - t^2)) < 1e-6
}
fn choose(x: real[n, k], c: bool) -> real { let G = x @ x'; if c { sum(G^2) } else { max(i < n | G[i, i]) } }
fn lone(x: real[n, k]) -> real[n] { let G = x @ x'; [i < n | G[i, i]] }
export choose, lone;
N
for real in f32 f64; do
    for f in apart largest self steps batch; do is "{\"$f\": true}" --real=$real $f n=40; done
    is '{"chosen": true}' --real=$real chosen n=40 t=0.909
done
"$NNCC" m.nn --dump=kernels >all
[ "$(grep -c '^ *product' all)" = 1 ] || fail "a diagonal takes a whole product"
