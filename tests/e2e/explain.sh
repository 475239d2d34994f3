# explain.sh: --explain names the rule, the place, what was there and what is.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
fn f(x: real[n, m]) -> real =
  sum(log(sum(exp(x), axis = 1)));
fn g(x: real[n], y: real[n]) -> real {
  let d = x - y;
  sum(sin(d)^2 + cos(d)^2)
}
export grad(f, x) as g_f, grad(g, x) as g_g;
N
accept "$NNCC" m.nn --explain
cat >expected <<'N'
m.nn:2:7: log-sum-exp: log(sum(exp(x), axis = 1)) -> logsumexp(x, axis = 1)
m.nn:4:11: normal form: cos(d) * (sin(d) * 2) - sin(d) * (2 * cos(d)) -> 0
N
diff expected out.txt || fail "$(cat out.txt)"
accept "$NNCC" m.nn --explain --no-simplify
[ -s out.txt ] && fail "$(cat out.txt)"
# The derivative is that of the stable form: no overflow.
accept "$NNCC" run m.nn g_f x='[[1000, 0]]'
grep -q '\[\[1, 0\]\]' out.txt || fail "$(cat out.txt)"

# What takes long: an array that is read across, steps that are no product.
cat >slow.nn <<'N'
fn nearest(x: real[n, d], c: real[k, d]) -> real =
  sum(i < n | min(j < k |
    sum(l < d | (c[j, l] - x[i, l])^2)));
fn turned(x: real[n, m]) -> real[m, n] = exp(x');
fn narrow(x: real[n, 64]) -> real[64, n] = exp(x');
fn rows(x: real[n, m]) -> real[n] = [i | sum(j | exp(x[i, j]))];
fn columns(x: real[n, m]) -> real[m] = [j | sum(i | exp(x[i, j]))];
fn product(x: real[n, d], y: real[d, k]) -> real[n, k] = x @ y;
fn scaled(x: real[b, n, m]) -> real[b, n, m] = 2 * x;
export nearest, turned, narrow, rows, columns, product, scaled;
N
accept "$NNCC" slow.nn --explain
cat >expected <<'N'
slow.nn:3:5: slow: n*d*k steps, and no product of matrices
slow.nn:4:42: slow: x is read across: its elements are m apart
slow.nn:5:44: slow: x is read across: its elements are 64 apart
N
diff expected out.txt || fail "$(cat out.txt)"
