# run.sh: nncc run: values of functions and derivatives as JSON.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
struct P { w: real[2], c: real }
fn f(x1: real, x2: real) -> real = log(x1) + x1 * x2 - sin(x2);
fn g(p: P, x: real[n, 2]) -> real[n] = x @ p.w + p.c;
fn pair(x: real) -> (real, real) = (x, 2 * x);
fn pick(t: real[n], i: int) -> real = t[i];
export f, g, pair, pick;
N
accept "$NNCC" run m.nn f x1=2 x2=5 --real=f64
grep -q '^{"f": *11\.65207145522[0-9]*}$' out.txt || fail "$(cat out.txt)"
accept "$NNCC" run m.nn 'grad(f, x1, x2)' x1=2 x2=5 --real=f64
grep -q '5\.5' out.txt || fail "$(cat out.txt)"
accept "$NNCC" run m.nn g p='{"w": [1, 2], "c": 0.5}' x='[[1, 1], [2, 0]]'
grep -q '^{"g": *\[3\.5, *2\.5\]}$' out.txt || fail "$(cat out.txt)"
accept "$NNCC" run m.nn pair x=0.1
grep -q '"pair_0": *0\.1, *"pair_1": *0\.2' out.txt || fail "$(cat out.txt)"
accept "$NNCC" run m.nn f x1=-1 x2=0
grep -q 'nan' out.txt || fail "$(cat out.txt)"
# Several, one after another, until one fails.
accept "$NNCC" run m.nn pair x=1 'grad(f, x1)' x1=2 x2=5 pair x=2 --real=f64
[ "$(cat out.txt)" = '{"pair_0": 1, "pair_1": 2}
{"d_x1": 5.5}
{"pair_0": 2, "pair_1": 4}' ] || fail "$(cat out.txt)"
refuse 1 "f needs x1, a value of type real" "$NNCC" run m.nn pair x=1 f pair x=2
[ "$(cat out.txt)" = '{"pair_0": 1, "pair_1": 2}' ] || fail "$(cat out.txt)"

refuse 1 "did you mean 'pair'" "$NNCC" run m.nn pari x=1
refuse 1 'x2' "$NNCC" run m.nn f x1=1
refuse 1 'x3' "$NNCC" run m.nn f x1=1 x2=2 x3=4
refuse 1 'x1' "$NNCC" run m.nn f x1=abc x2=2
refuse 1 'x' "$NNCC" run m.nn g p='{"w": [1, 2], "c": 0.5}' x='[[1, 1, 1]]'
refuse 1 'x' "$NNCC" run m.nn g p='{"w": [1, 2], "c": 0.5}' x='[[1, 1], [1]]'
refuse 1 'c' "$NNCC" run m.nn g p='{"w": [1, 2]}' x='[[1, 1]]'
refuse 1 'range' "$NNCC" run m.nn pick t='[1, 2]' i=2
refuse 1 'range' "$NNCC" run m.nn pick t='[1, 2]' i=-1
