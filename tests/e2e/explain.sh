# explain.sh: --explain names the rule and the place.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
fn f(x: real[n, m]) -> real =
  sum(log(sum(exp(x), axis = 1)));
export grad(f, x) as g;
N
accept "$NNCC" m.nn --explain
grep -q '^m\.nn:2:7: log-sum-exp: ' out.txt || fail "$(cat out.txt)"
# The derivative is that of the stable form: no overflow.
accept "$NNCC" run m.nn g x='[[1000, 0]]'
grep -q '\[\[1, 0\]\]' out.txt || fail "$(cat out.txt)"
