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

# What takes long: an array that is read across, steps that are no product, a
# gather that no data ask for, a loop that links nothing; and what is none of these.
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
fn halves(x: real[n]) -> real[n] = [i < n | exp(x[i / 2])];
fn asked(x: real[n], at: int[n]) -> real[n] = [i < n | exp(x[at[i]])];
fn after(x: real[n]) -> real[n - 1] = [i < n - 1 | exp(x[i + 1])];
fn guarded(x: real[n]) -> real[n] = [i < n | if i > 0 { x[i - 1] } else { 0 }];
fn powers(x: real[n]) -> real = fold(i < n, s = 0.0 | s + cos(x[i]));
fn most(x: real[n], y: real) -> real = fold(i < n, s = y | max(s, cos(x[i])));
fn put(x: real[n]) -> real[n] =
  fold(i < n, a = zeros([n]) | [j < n | if j == i { x[i]^2 } else { a[j] }]);
fn each(x: real[n]) -> real[n] = scan(i < n, s = 0.0 | cos(x[i]));
fn few(x: real[n]) -> real = fold(i < 10, s = 0.0 | s + cos(x[0] * real(i)));
fn linked(x: real[n]) -> real = fold(i < n, s = 0.0 | cos(s + x[i]));
fn two(x: real[n]) -> real = fold(i < n, s = 0.0, t = 1.0 | (s + t, t * x[i])).0;
fn ended(x: real[n]) -> real = fold(i < n, s = 0.0, until = s > 9 | s + cos(x[i]));
fn lengths(p: real[n, 2]) -> real[n] = scan(t < n, s = 0.0 | s + norm(p[t]));
fn length(p: real[n, 2], m: int) -> real { let d = lengths(p); sum(t < n | if t < m { d[t] } else { 0 }) }
export nearest, turned, narrow, rows, columns, product, scaled;
export halves, asked, after, guarded, powers, grad(powers), most, put, each, few, linked;
export two, ended, grad(length, p);
N
accept "$NNCC" slow.nn --explain
grep slow: out.txt >slow.txt
cat >expected <<'N'
slow.nn:3:5: slow: n*d*k steps, and no product of matrices
slow.nn:4:42: slow: x is read across: its elements are m apart
slow.nn:5:44: slow: x is read across: its elements are 64 apart
slow.nn:10:45: slow: x is read element by element though no data decide where: slices, put together by concat, are not
slow.nn:14:33: slow: no step needs the one before it: a comprehension, or a reduction of one, takes them side by side
slow.nn:15:40: slow: no step needs the one before it: a comprehension, or a reduction of one, takes them side by side
slow.nn:17:3: slow: no step needs the one before it: a comprehension, or a reduction of one, takes them side by side
slow.nn:18:34: slow: no step needs the one before it: a comprehension, or a reduction of one, takes them side by side
N
diff expected slow.txt || fail "$(cat out.txt)"
