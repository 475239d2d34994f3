# std-solvers.sh: the solvers against closed forms, their derivatives against the
# implicit function theorem; the optimizer newton, alone and in `train`.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use solvers;
use optim as o;
struct P { a: real[2], b: real }
fn decay(y: real[n]) -> real[n] = -y;
fn turn(p: P) -> P = P(a = [p.a[1], -p.a[0]], b = 1);
fn one_euler(y: real[n], h: real) -> real[n] = euler(decay, y, h);
fn one_rk4(y: real[n], h: real) -> real[n] = rk4(fn(z) = z, y, h);
fn turned(p: P, h: real) -> P = rk4(turn, p, h);
fn grown(y: real[2], h: real, n: int) -> real[n, 2] = trajectory(fn(z) = z, y, h, n);
fn turning(p: P, n: int) -> [P; n] = trajectory(turn, p, pi / 2 / 100, n);

fn root(a: real) -> real = newton(fn(y) = y * y - a, [1.0])[0];
fn lines(a: real, b: real) -> real[2] =
  newton(fn(y) = [y[0]^2 + y[1]^2 - a, y[0] * y[1] - b], [2.0, 0.5]);
fn rootless(a: real) -> real = newton(fn(y) = y * y + a, [0.7], steps = 3)[0];
fn halved(a: real) -> real = bisect(fn(y) = y^3 - a, 0, 10);
fn falling(a: real) -> real = bisect(fn(y) = a - y^3, 0, 10);
fn settled(a: real) -> real = fixed_point(fn(y) = cos(a * y), [0.5])[0];
fn bowl(x: real[2], a: real) -> real = (x[0] - a)^2 + 3 * (x[1] + a)^2;
fn down(a: real, n: int) -> real[2] = gradient_descent(fn(x) = bowl(x, a), [1.0, 1.0], lr = 0.1, steps = n);
fn least(a: real) -> real[2] = newton_minimize(fn(x) = bowl(x, a), [1.0, 1.0], steps = 1);
fn rosenbrock(x: real[2]) -> real = (1 - x[0])^2 + 100 * (x[1] - x[0]^2)^2;
fn valley(n: int) -> real[2] = newton_minimize(rosenbrock, [-1.2, 1.0], steps = n);

fn hill(p: P) -> real = (p.a[0] - 1)^2 + 10 * (p.a[1] - 2)^2 + p.a[0] * p.b + p.b^2;
fn saddle(p: P) -> real = p.a[0]^2 - p.a[1]^2 + p.b^2;
fn stepped(p: P) -> P = o.newton(p, grad(hill)(p), o.NewtonState(), hill).0;
fn half_way(p: P) -> P = o.newton(p, grad(hill)(p), o.NewtonState(), hill, lr = 0.5).0;
fn damped(p: P) -> P = o.newton(p, grad(hill)(p), o.NewtonState(), hill, damping = 1e6).0;
fn off(p: P) -> P = o.newton(p, grad(saddle)(p), o.NewtonState(), saddle).0;
# Where there is a root, and repeating converges.
fn some_root(a: real) -> real = root(2 + sin(a));
fn some_lines(a: real, b: real) -> real[2] = lines(5 + sin(a), sin(b));
fn some_half(a: real) -> real = halved(5 + sin(a));
fn some_fixed(a: real) -> real = settled(0.7 * sin(a));
export some_root, some_lines;
export grad(some_root), grad(some_half), grad(some_fixed), vjp(some_lines, a, b);
export jvp(some_root), jvp(some_fixed), vjp(down, a), vjp(least, a);
export vjp(one_rk4, y, h), vjp(turned, p, h), vjp(grown, y, h);
N
near '{"one_euler": [1.8, -0.9]}' one_euler y='[2, -1]' h=0.1
near '{"one_rk4": [2.2103416666666664, 0]}' one_rk4 y='[2, 0]' h=0.1
near '{"one_rk4": []}' one_rk4 y='[]' h=0.1
near '{"grown": [[2.2103416666666664, 0], [2.4428051417013883, 0], [2.6997169941250747, 0]]}' grown y='[2, 0]' h=0.1 n=3
near '{"grown": []}' grown y='[2, 0]' h=0.1 n=0
accept "$NNCC" run --real=f64 m.nn turning p='{"a": [0, 1], "b": 0}' n=100
sed 's/.*, \[\([^]]*\)\]\].*/\1/' out.txt | awk -F ', ' '{
    exit !($1 > 1 - 1e-8 && $1 < 1 + 1e-8 && $2 > -1e-8 && $2 < 1e-8) }' ||
    fail "a quarter turn: $(cat out.txt)"
near '{"root": 1.4142135623730951}' root a=2
near '{"d_a": 0.35355339059327373}' 'grad(root)' a=2
near '{"lines": [1.9318516525781366, 0.5176380902050415]}' lines a=4 b=1
near '{"halved": 1.709975946676697}' halved a=5
near '{"falling": 1.709975946676697}' falling a=5
near '{"d_a": 0.11399839644511312}' 'grad(halved)' a=5
near '{"settled": 0.7390851332151607}' settled a=1
near '{"d_a": -0.29747434150983226}' 'grad(settled)' a=1
near '{"down": [1.72, -2.36]}' down a=3 n=2
near '{"least": [3, -3]}' least a=3
near '{"valley": [1, 1]}' valley n=8
accept "$NNCC" run m.nn rootless a=1
near '{"stepped": {"a": [1.3333333333333333, 2], "b": -0.6666666666666666}}' stepped p='{"a": [5, -7], "b": 0.5}'
near '{"stepped": {"a": [1.3333333333333333, 2], "b": -0.6666666666666666}}' stepped p='{"a": [1.3333333333333333, 2], "b": -0.6666666666666666}'
near '{"half_way": {"a": [3.1666666666666665, -2.5], "b": -0.08333333333333333}}' half_way p='{"a": [5, -7], "b": 0.5}'
# Where the curvature is negative, down the gradient.
near '{"off": {"a": [0, 3], "b": 0}}' off p='{"a": [0, 1], "b": 0}'
accept "$NNCC" run --real=f64 m.nn damped p='{"a": [5, -7], "b": 0.5}'
grep -q '"a": \[4.9999' out.txt || fail "damped: $(cat out.txt)"
accept "$NNCC" check m.nn

# In `train`, on a model with a state and a random key: two steps of Newton's
# method on a linear model give what least squares has: 2 x - 1, mean of squares
# of what is left (-1, 2, -1, …) 2.
cat >line.nn <<'N'
use nn;
use optim;
struct Line { w: real[1] = 0, b: real = 5 }
struct Steps { n: real = 0 }
fn at(line: Line, x: real[n, 1]) -> real[n] = x @ line.w + line.b;
fn loss(line: Line, seen: Steps, x: real[n, 1], y: real[n], k: key) -> (real, Steps) =
  (mse(at(line, x), y) + 0 * uniform(k), Steps(n = seen.n + 1));
fn test(line: Line, x: real[n, 1], y: real[n]) -> real = mse(at(line, x), y);
train loss(line) {
  optimizer = newton(tol = 1e-7);
  state     = seen;
  key       = k;
  evaluate  = test;
}
N
accept "$NNCC" check line.nn
printf '%s\n' 0,-2 1,3 2,2 3,4 4,9 5,8 >line.csv
accept "$NNCC" train line.nn --data line.csv --batch 6 --epochs 2 --test 0 --save line.json
grep -q '^train loss: 2$' out.txt || fail "newton in train: $(cat out.txt)"
grep -q '"w": \[\(2[],.]\|1.99999\)' line.json || fail "newton in train: $(cat line.json)"
sed 's/optimizer = newton(tol = 1e-7)/optimizer = newton(loss = 3)/' line.nn >wrong.nn
refuse 1 "'newton' has no setting 'loss'" "$NNCC" check wrong.nn
