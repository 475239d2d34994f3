# nncc check: where differences cannot judge, points by hand, edges, what is
# trained with a state.
. "$ROOT/tests/e2e-lib.sh"

# Newton's method for a root never ends for x < 0: another point is taken, and
# where there is none, the other mode.
cat >root.nn <<'EOF'
fn root(x: real) -> real = fold(t < 50, y = x, until = abs(y * y - x) < 1e-13 * x | (y + x / y) / 2);
export grad(root) as d;
EOF
for seed in 1 2 3 4 5 6; do
    accept "$NNCC" check root.nn --seed $seed
    grep -q '^d  *d_x  *ok' out.txt || fail "$(cat out.txt)"
done
accept "$NNCC" check root.nn --range x=-3:-1
grep -q 'd_x  *ok .*by forward mode: differences disagree' out.txt || fail "$(cat out.txt)"

# A derivative that is wrong is wrong by any of these.
cat >off.nn <<'EOF'
fn f(v: real[n], k: int) -> real = v[k] * sum(v^2);
derivative f(v, k; y, y_bar) = y_bar * (2 * v[k] * v + real(n) * onehot(k, n));
export grad(f) as d;
EOF
refuse 1 '2 of 4 checks failed' "$NNCC" check off.nn
refuse 1 '2 of 4 checks failed' "$NNCC" check off.nn --at 'v=[1, 2, 3]' --range k=1:2
refuse 1 '4 of 8 checks failed' "$NNCC" check off.nn --edges
# Where it happens to be right: sum(v^2) is n here.
accept "$NNCC" check off.nn --at 'v=[1, 1, -1, 1]' --at k=2

refuse 1 "has a parameter 'z'" "$NNCC" check root.nn --at z=1
refuse 1 'expected a value of type f64, found an array' "$NNCC" check root.nn --at 'x=[1]'
refuse 2 "'--at' is NAME=VALUE, not '3'" "$NNCC" check root.nn --at 3
refuse 2 "'--range' is NAME=FROM:TO" "$NNCC" check root.nn --range x=2
refuse 2 "'--range' is NAME=FROM:TO" "$NNCC" check root.nn --range 2:1
cat >two.nn <<'EOF'
fn f(v: real[n], w: real[n]) -> real = dot(v, w);
export grad(f) as d;
EOF
refuse 1 'do not have sizes that fit' "$NNCC" check two.nn --at 'v=[1]' --at 'w=[1, 2]'
# Sizes follow from what is given, whatever it is that they are a part of.
cat >longer.nn <<'EOF'
fn f(v: real[n + 1], w: real[n]) -> real = sum(v^2) + sum(w^3);
export grad(f) as d;
EOF
accept "$NNCC" check longer.nn --at 'v=[1, 2, 3]'

# Edges: a result that is NaN where the function is smooth.
cat >edge.nn <<'EOF'
fn f(x: real[n]) -> real = sum(x^2);
derivative f(x; y, y_bar) = y_bar * 2 * x * x / x;
export grad(f) as d;
EOF
accept "$NNCC" check edge.nn
refuse 1 'checks failed' "$NNCC" check edge.nn --edges
grep -q 'slope at edges  *OFF' out.txt || fail "$(cat out.txt)"

# Ties are shared, an infinite weight meets a 0, and last bits decide much; what is
# stopped has no derivative, and where no solution was found there is none: right.
cat >fine.nn <<'EOF'
use solvers;
fn tied(v: real[n]) -> real = sum([i < n | max(min(min(v), 3), v[i])]) + sum(abs(v) * v);
fn saturated(W: real[3, 2], x: real[2], U: real[3]) -> real = dot(U, tanh(W @ tanh(x)));
fn chaos(x: real) -> real = fold(t < 60, y = x | 3.9 * y * (1 - y));
fn none(W: real[3, 2], x: real[n, 2]) -> real = sum(tanh(x @ W'));
fn held(x: real, y: real[n]) -> real = stop(x) * sum(y) + x^2 * stop(max(y[0], 0));
fn twice_tied(x: real, y: real) -> real = min(max(x, y), x) * y;
fn still(b: real[2]) -> real = sum(fixed_point(fn(z) = 3 * tanh(z * z) + b, [0, 0], steps = 20)^2);
export grad(held, x, y) as d_held, grad(twice_tied, x, y) as d_twice, grad(still) as d_still;
export grad(tied) as d_tied, grad(saturated, W, x, U) as d_saturated, chaos, grad(none, W) as d_none;
EOF
accept "$NNCC" check fine.nn --edges
accept "$NNCC" check fine.nn --edges --seed 2
# The solution of a singular system, by whose last bits it is finite or not.
cat >singular.nn <<'EOF'
fn step(A: real[n, n], x: real[n]) -> real[n] = { let p = softmax(x); solve(diag(p) - [i, j | p[i] * p[j]], x) };
export step;
EOF
accept "$NNCC" check singular.nn --edges --seed=3
# Where n - 5 is negative there is nothing to check it at: larger sizes are taken.
cat >sizes.nn <<'EOF'
fn far(v: real[n]) -> real = sum([i < n - 5 | v[i + 5]^2]);
export grad(far) as d_far;
EOF
accept "$NNCC" check sizes.nn
grep -q '^d_far  *d_v  *ok' out.txt || fail "$(cat out.txt)"
# One that is wrong at a tie alone, and one at 0 where nothing is decided.
cat >tie.nn <<'EOF'
fn twice(x: real) -> real = 2 * x;
derivative twice(x; y, y_bar) = if x == 0 { 3 * y_bar } else { 2 * y_bar };
fn cube(x: real) -> real = x^3 + x;
derivative cube(x; y, y_bar) = y_bar * (3 * x^2 + 1 + exp(-1e9 * x^2));
export grad(cube) as d_cube, grad(twice) as d_twice;
EOF
refuse 1 'checks failed' "$NNCC" check tie.nn --edges
for f in d_cube d_twice; do
    grep -q "$f  *slope at edges  *OFF" out.txt || fail "$(cat out.txt)"
done

# A loss that carries a state on: its own gradient, not the state's.
cat >state.nn <<'EOF'
use optim;
struct Net { w: real[2] = 1 }
struct Mean { m: real[2] = 0 }
fn twice(x: real) -> real = 2 * x;
derivative twice(x; y, y_bar) = FACTOR * y_bar;
fn loss(net: Net, s: Mean, x: real[b, 2]) -> (real, Mean) {
  let m = sum(x * net.w, axis = 0) / real(b);
  (twice(sum(m^2)), Mean(m = 0.9 * s.m + stop(m)))
}
train loss(net) { optimizer = sgd(); state = s; }
EOF
sed 's/FACTOR/2/' state.nn >right.nn
accept "$NNCC" check right.nn
grep -q '^loss  *net_bar  *ok' out.txt || fail "$(cat out.txt)"
sed 's/FACTOR/3/' state.nn >wrong.nn
refuse 1 'checks failed' "$NNCC" check wrong.nn
grep -q '^loss  *net_bar  *OFF' out.txt || fail "$(cat out.txt)"

# What `nncc run` printed is read back, whole or a part.
cat >parts.nn <<'EOF'
struct P { a: real = 1, b: real[2] = 2 }
fn two(x: real) -> (real, P) = (x, P(a = 2 * x, b = [x, 1]));
fn back(q: (real, P)) -> real = q.0 + q.1.a + sum(q.1.b);
fn one(p: P) -> real = p.a;
export two, back, one, init(P) as start;
EOF
"$NNCC" run parts.nn two x=3 >two.json
[ "$("$NNCC" run parts.nn back q=@two.json)" = '{"back": 13}' ] || fail 'a tuple read back'
[ "$("$NNCC" run parts.nn one p=@two.json:two_1)" = '{"one": 6}' ] || fail 'a part read back'
refuse 1 "no 'two_2' in two.json: it has two_0, two_1" "$NNCC" run parts.nn one p=@two.json:two_2
[ "$("$NNCC" run parts.nn start seed=1)" = '{"start": {"a": 1, "b": [2, 2]}}' ] || fail 'the name of init'
"$NNCC" run parts.nn start seed=1 >start.json
[ "$("$NNCC" run parts.nn one p=@start.json)" = '{"one": 1}' ] || fail 'what init printed'
