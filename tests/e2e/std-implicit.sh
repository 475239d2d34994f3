# std-implicit.sh: derivatives of what solvers give, to any order, in both modes and
# mixed, of solvers in solvers, by what is around the function; against closed forms.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use solvers;
fn root(a: real) -> real = newton(fn(y) = y * y - a, [1.0])[0];
fn cube(a: real) -> real = bisect(fn(y) = y^3 - a, 0.0, 10.0);
fn settled(a: real) -> real = fixed_point(fn(y) = a + y * y / 4, [0.1])[0];
# The x whose root is a; the sixth root.
fn square(a: real) -> real = newton(fn(x) = [newton(fn(y) = y * y - x[0], [1.0])[0] - a], [1.5])[0];
fn sixth(a: real) -> real = bisect(fn(x) = x - cube(root(a)), 0.0, 10.0);

# All orders of reverse and forward mode.
fn third(f: fn(real) -> real, a: real) -> real[4] {
  fn r1(a: real) -> real = grad(f)(a);
  fn r2(a: real) -> real = grad(r1)(a);
  fn f1(a: real) -> real = jvp(f)(a, 1.0).1;
  fn f2(a: real) -> real = jvp(f1)(a, 1.0).1;
  [grad(r2)(a), jvp(f2)(a, 1.0).1, jvp(r2)(a, 1.0).1, grad(f2)(a)]
}
fn root_3(a: real) -> real[4] = third(root, a);
fn cube_3(a: real) -> real[4] = third(cube, a);
fn settled_3(a: real) -> real[4] = third(settled, a);
fn square_3(a: real) -> real[4] = third(square, a);
fn sixth_3(a: real) -> real[4] = third(sixth, a);

# The rules of linear algebra.
fn two(a: real) -> real[2, 2] = [[a, 1.0], [1.0, 2.0]];
fn corner(a: real) -> real = inv(two(a))[0, 0];
fn solved(a: real) -> real = solve(two(a), [1.0, 2 * a])[1];
fn volume(a: real) -> real = logdet(two(a));
fn root_of(a: real) -> real = cholesky(two(a))[1, 1];
fn corner_3(a: real) -> real[4] = third(corner, a);
fn solved_3(a: real) -> real[4] = third(solved, a);
fn volume_3(a: real) -> real[4] = third(volume, a);
fn root_of_3(a: real) -> real[4] = third(root_of, a);

# What a function sees: a struct, an element of a tensor for each index, functions
# that see something themselves, a carry.
struct P { a: real[2], b: real }
fn seen(p: P) -> real {
  let scaled = fn(y: real) = p.b * y;
  sum(i < 2 | bisect(fn(y) = scaled(y)^3 - p.a[i], 0.0, 10.0))
}
fn carried(a: real) -> real = fold(t < 3, s = a | bisect(fn(y) = y^2 - s, 0.0, 100.0));
# Nothing, by the name of a function and of a derivative.
fn plain(y: real) -> real = y^3 - 8;
fn quartic(y: real) -> real = y^4 / 4 - 8 * y;
fn constant(a: real) -> real = a * (bisect(plain, 0.0, 10.0) + bisect(grad(quartic), 0.0, 10.0));
fn sums(a: real[n], b: real) -> real =
  sum(i < n | newton(fn(y) = y * y - a[i] * b, [1.0])[0]);

# A call with another function is no recursion.
fn inner(x: real, a: real) -> real = gradient_descent(fn(y: real) = (y - x * a)^2, 0.0);
fn outer(a: real) -> real = gradient_descent(fn(x: real) = (inner(x, a) - 3)^2, 0.0, lr = 0.05);

fn at(x: real[1], a: real) -> real[1] = newton(fn(y) = y * y - a * a - x, [1.0]);
fn smooth(a: real) -> real = sum(at([2 + sin(a)], a));
export jvp(smooth), vjp(smooth), hessian(smooth);
N
third() { near "{\"$1\": [$3, $3, $3, $3]}" "$1" a="$2"; }
third root_3 2 0.06629126073623884
third cube_3 2 0.05832967823587376
third settled_3 0.5 4.242640687119286
third square_3 1.3 0
third sixth_3 2 0.035726511954291384
third corner_3 1.5 -6
third solved_3 1.5 1.5
third volume_3 1.5 2
third root_of_3 1.5 0.6575378065770738
near '{"d_p": {"a": [0.20998684164914552, 0.3333333333333333], "b": -2.2599210498948732}}' 'grad(seen)' p='{"a": [2, 1], "b": 1}'
near '{"d_a": 0.0681567332915786}' 'grad(carried)' a=2
near '{"hess_a": -0.02981857081506564}' 'hessian(carried)' a=2
near '{"d_a": 4}' 'grad(constant)' a=2
near '{"d_a": [0.5, 0.25], "d_b": 1.5}' 'grad(sums, a, b)' a='[1, 4]' b=1
near '{"hess_a": [[-0.25, 0], [0, -0.03125]]}' 'hessian(sums)' a='[1, 4]' b=1
near '{"outer": 1.5}' outer a=2
near '{"d_a": -0.75}' 'grad(outer)' a=2
accept "$NNCC" check m.nn
