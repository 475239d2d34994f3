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
