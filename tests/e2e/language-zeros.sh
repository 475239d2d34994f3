# language-zeros.sh: what is 0 in a derivative stays 0: choices by max, roots of
# squares at 0, masked rows, nothing at all; in both modes and twice.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use nn;
use optim as o;
struct P { a: real[2], b: real }
fn root(x: real) -> real = sqrt(max(x, 0));
fn tame(x: real) -> real = log(clamp(x, 0, 1)) + sqrt(relu(x - 3)) + 1 / max(x, 0) * 0;
fn small(x: real) -> real = min(exp(x), 10);
fn two(x: real, y: real) -> real = max(x, y) + min(x, y);
fn sign_free(x: real) -> real = max(x, -x) + max(2 * x, 3 * x);

fn whole(p: P) -> real = norm(p);
fn flat(x: real, y: real) -> real = sqrt(x^2 + y^2) + hypot(x, y);
fn rows(X: real[n, k]) -> real = sum(sqrt(sum(X^2, axis = 1))) + sum(sqrt(mean(X^2, axis = 1, keepdims = true)));
fn scaled(z: real, y: real[n]) -> real = norm(z * y) + norm([i < n | z]) * 2;
fn picked(x: real[n], c: bool[n]) -> real = sqrt(sum(where(c, x^2, 0)));
fn cube(x: real[n]) -> real = norm(x)^3;
fn soft(x: real[n]) -> real = sqrt(1 + norm(x)^2) + std(x)^2;
fn pair(x: real[n], y: real[n]) -> real { let d = norm(x - y); (1 + d + d^2 / 3) * exp(-d) }
fn gram(X: real[n, k], l: real) -> real = sum(i < n, j < n | pair(X[i] / l, X[j] / l));

fn member(W: real[n, n], x: real[b, n], m: bool[b]) -> real {
  let h = tanh(x @ W) @ W;
  sum(where(transpose(broadcast(m, [n, b])), h^2, 0))
}
fn padded(q: real[t, e], ok: bool[t]) -> real {
  let s = [i < t, j < t | where(ok[i] && ok[j], dot(q[i], q[j]), -inf)];
  sum(i < t | if ok[i] { sum((softmax(s) @ q)[i]^2) } else { 0 })
}
fn none(q: real[t, e]) -> real {
  let p = softmax([i < t, j < t | where(i < 0, dot(q[i], q[j]), -inf)]);
  sum(p @ q) + sum(p)
}
fn mean_of(W: real[3, 2], X: real[b, 3], y: int[b]) -> real = cross_entropy(X @ W, y) + mse(tanh(X @ W), X @ W);
fn some(x: real[n], z: real) -> real = mean(i < n | if x[i] > 0 { z * x[i] } else { 0 });

fn tune(lr: real, w: real[2], x: real[2]) -> real {
  fn loss(v: real[2]) -> real = sum(relu(v * x))^2;
  let g = grad(loss)(w);
  let (v, s) = o.adam(w, g, o.AdamState(m = 0 * w, v = 0 * w, t = 0), lr);
  loss(v)
}
fn first(x: real[n], w: real[n]) -> real = sum(w * cumsum(sqrt(x)));

fn steep(w: real, x: real) -> real = sqrt(w * x);
fn flat_once(x: real[n], y: real[n]) -> real = exp(-norm(x - y)) + 2 * std(x) + norm(x / 3);
fn flat_known(x: real[2]) -> real = flat_once(x, x);
fn in_norm(x: real[n]) -> real = norm(norm([i < n, j < n | x[i] - x[j]], axis = 1) + 1);
fn lone(x: real[n]) -> real = norm(x);
fn tie(x: real, y: real, c: bool) -> real = exp(abs(if c { x * y^1.5 } else { if c { y } else { x } }));
fn solved(v: real[n], w: real[n], c: real[n]) -> real =
  dot(c, sqrt(solve_spd(4 * eye(n) + outer(v, w), relu(v))));
fn solved_small(v: real[2], w: real[2], c: real[2]) -> real =
  dot(c, sqrt(solve(4 * eye(2) + outer(v, w), relu(v))));
fn solved_down(v: real[n], w: real[n], c: real[n]) -> real =
  dot(c, sqrt(solve_lower(4 * eye(n) + outer(v, w), [i < n | if i == 0 { v[0] } else { 1.0 }])));
fn nowhere(x: real, v: real[n]) -> real = sum(sqrt([i < n, j < n | 0.0] @ v)) * x;
fn share(n: int, x: real) -> real = min(min(softmax([i < n | x])), 3);
fn low(w: real, v: real) -> real = softplus(min(max(w / v, w / v - 1), 3));
fn twice_log(x: real) -> real = log(x^2);
fn nothing(n: int) -> real = sum(i < n | log(0.0));
fn unread(k: int, x: real) -> real = fold(i < k, r = log(x) | x * x);
fn times(x: real, y: real) -> real = x * y;
fn earlier(x: real, v: real[n]) -> real =
  fold(i < n, r = x | if i == 0 { x } else { v[i-1] * remat(times)(r, x) });
fn along(x: real, v: real[n], e: real[n]) -> real = dot(e, grad(earlier, v)(x, v));

fn matern(x: real[n], y: real[n], l: real) -> real { let d = sqrt(3.0) * norm(x - y) / l; 2 * (1 + d) * exp(-d) }
fn matern_5(x: real[n], y: real[n], l: real) -> real {
  let d = norm((x - y) / l);
  (1 + sqrt(5.0) * d + 5 * d^2 / 3) * exp(-sqrt(5.0) * d)
}
fn m5_f(x: real[n], y: real[n], l: real, e: real[n]) -> real = jvp(matern_5, x)(x, y, l, e).1;
fn m5_r(x: real[n], y: real[n], l: real, e: real[n]) -> real = dot(e, grad(matern_5, x)(x, y, l));
fn m5_ff(x: real[n], y: real[n], l: real, e: real[n]) -> real = jvp(m5_f, x)(x, y, l, e, e).1;
fn m5_rr(x: real[n], y: real[n], l: real, e: real[n]) -> real = dot(e, grad(m5_r, x)(x, y, l, e));
fn m5_2(x: real[n], y: real[n], l: real, e: real[n]) -> real[4] =
  [m5_ff(x, y, l, e), jvp(m5_r, x)(x, y, l, e, e).1, dot(e, grad(m5_f, x)(x, y, l, e)), m5_rr(x, y, l, e)];
fn m5_3(x: real[n], y: real[n], l: real, e: real[n]) -> real[4] =
  [jvp(m5_ff, x)(x, y, l, e, e).1, jvp(m5_rr, x)(x, y, l, e, e).1,
   dot(e, grad(m5_ff, x)(x, y, l, e)), dot(e, grad(m5_rr, x)(x, y, l, e))];
fn matern_along(x: real[n], y: real[n], l: real, e: real[n]) -> real = dot(e, grad(matern, x)(x, y, l));
fn fraction(x: real, w: real, v: real) -> real = x / (w / v);
fn itself(x: real) -> real = sqrt(x - x) + 3 * x;
fn geometric(v: real[n], w: real[n]) -> real = sqrt(prod(v)) + sqrt(dot(v, w));
fn opposite(x: real, y: real) -> real = sqrt(min(y, x) - x) + sqrt(abs(x) - x);
fn idle(x: real, n: int) -> real = fold(i < n, r = x | sqrt(x)) * x;
fn kept(x: real, v: real[n]) -> real = fold(i < 2, r = x | if i == 0 { x } else { v[0] * std(max([k < n | r * v[0]], v)) });
fn kept_along(x: real, v: real[n]) -> real = grad(kept, x)(x, v);

fn masked(x: real[b, k], y: int[b], p: real[b, k]) -> (real, real, real, real) =
  (cross_entropy(x, y), cross_entropy_probs(x, p), nll(x, y), kl(log_softmax(x), log_softmax(x + 1)));
fn all_losses(x: real[b, k], y: int[b], p: real[b, k]) -> real {
  let (a, b, c, d) = masked(x, y, p);
  a + b + c + d + kl(log(p), log_softmax(x))
}
fn sure(x: real[n], p: real[n]) -> real = binary_cross_entropy(x, p);
export masked;

# Sums of nothing, with a factor that is infinite taken out of them.
fn over(x: real[n], s: real) -> real = sum(x / s);
fn often(x: real[n], s: real) -> real = sum(i < n, j < n | x[i] * x[j] * log(s));
fn apart(x: real[n], s: real) -> real = sum([i < n, k < 3 | x[i]^2 / ([s, 2, s])[k]]);
fn linear(x: real[n], s: real) -> real = sum([k < 3, i < n | real(k) + x[i]] / s @ x + [k < 3, i < n | x[i]] @ (x * log(s)));
fn likely(x: real[n], s: real) -> real = sum(i < n | -0.5 * ((x[i] - 2) / s)^2 - log(s));
fn lengths(A: real[m, n], x: real[n]) -> real[m] = sqrt(A @ x);
fn length(A: real[m, n], x: real[n]) -> real = sum(lengths(A, x));
fn each(A: real[m, n], X: real[b, n]) -> real = sum((X @ A')^0.5);
fn by_zero(x: real[n]) -> real = mean(x / [i < n | log(1.0)]);

fn bent(y: real, v: real[n], w: real[n]) -> real = trace(tanh(log1p(y)) * outer(v, w)) + sum(v * sin((y^3)^0.5));

# Rows that are left out, of what a reduction is subtracted from.
fn shares(z: real[b, k], m: int) -> real { let l = log_softmax(z); sum(i < b | if i < m { l[i, 0] } else { 0 }) }
fn shares_on(z: real[b, k], m: int) -> real { let l = log_softmax(z); fold(i < b, s = 0.0 | if i < m { s + l[i, 0] } else { s }) }
fn products(z: real[b, k], m: int) -> real { let l = z - prod(z, axis = 1, keepdims = true); sum(i < b | if i < m { l[i, 0] } else { 0 }) }

# The same with a call or a loop in between, for what it gets and gives.
fn product(y: real, l: real) -> real = y * l;
fn direct(w: real, y: real, x: real) -> real = w * (y * log(x));
fn called(w: real, y: real, x: real) -> real = w * remat(product)(y, log(x));
fn given(w: real, y: real, x: real) -> real = w * (y * remat(fn(z) = log(z))(x));
fn captured(w: real, y: real, x: real) -> real { let l = log(x); w * fold(t < 2, s = y | s * l) }
fn begun(w: real, y: real, x: real) -> real = w * fold(t < 2, s = log(x) | s * y);
fn carried(w: real, y: real, x: real) -> real = w * fold(t < 3, s = x, r = y | (log(s), r * s)).1;
fn ended(w: real, y: real, x: real) -> real = w * (y * fold(t < 2, s = x | log(s)));
fn rowwise(w: real, y: real, x: real) -> real { let l = [i < 3 | log(x * real(i))]; w * fold(t < 3, s = y | s * l[t]) }
fn stacked(w: real, y: real, x: real) -> real = w * sum(y * scan(t < 3, s = x | log(s)));
# What is not read may be no number.
fn row(A: real[m, n], w: real[n], k: int) -> real { let r = sqrt(A) @ w; if k >= 0 && k < m { r[k] } else { 0 } }
fn powers(x: real[n], w: real[n], k: int) -> real { let r = [i < n | prod(j < n | w[j] * sqrt(x[i]))]; if k >= 0 && k < n { r[k] } else { 0 } }
fn not_last(x: real, n: int) -> real = fold(i < n, r = x, s = prod(j < n | sqrt(x)) | (s, x)).0;
fn first_dot(x: real, v: real[n], w: real[n]) -> real = fold(i < n, r = x, s = dot(log(v), w) | (s, x)).0;
fn lengths_of_zero(v: real[n], w: real[n]) -> real = hypot(norm(outer(v, w) @ v), dot(v, outer(v, w) @ v));
fn beside_none(x: real, v: real[n], w: real[n]) -> real = dot(log_softmax([i < n | x]), outer(v, w) @ v);
# Of a minimum among many that are made of more: by place where none ties, else shared.
fn nearest(p: real[n, d], c: real[k, d]) -> real = sum(i < n | min(j < k | sum(l < d | (c[j, l] - p[i, l])^2)));
fn largest(p: real[n, d], c: real[k, d]) -> real = sum(i < n | max(j < k | c[j] @ p[i])^2);
fn overwritten(x: real) -> real = fold(t < 2, r = x, s = x * remat(product)(x, log(x)) | (s, x)).0;
fn angle(v: real[n], w: real[n]) -> real = acos(clamp(min(norm(v), norm(w)), -1, 1)) + norm(v) + sum(sqrt(abs(v)));
fn pushed(v: real[n], w: real[n], e: real[n]) -> real = jvp(angle, v)(v, w, e).1;
fn rooted(A: real[m, n], x: real[n]) -> real[m] = A @ sqrt(x);
fn inside(x: real, k: int) -> real = [sin(sqrt(x)), exp(tanh(x^1.5)), x][k];
fn no_step(x: real, k: int) -> real = fold(i < k - 1, r = 0.5 | x^1.5);
# The derivative by a matrix is a product of which nothing is summed.
fn weighed(w: real[m], A: real[m, n], x: real[n]) -> real = sum(w * (A @ (1 / x)));
fn grown(w: real[m], A: real[m, n], x: real[n]) -> real = dot(w, A @ exp(exp(x)));
fn stack(w: real[b, m], A: real[b, m, n], x: real[b, n]) -> real = sum(w * [i, j | sum(k | A[i, j, k] / x[i, k])]);
N

near '{"d_x": 0}' 'grad(root)' x=-1
near '{"d_x": 1}' 'grad(inside)' x=-1 k=2
near '{"hess_x": 0}' 'hessian(inside)' x=-1 k=2
near '{"inside": -1, "inside_dot": 1}' 'jvp(inside)' x=-1 k=2 x_dot=1
near '{"d_x": 0}' 'grad(no_step)' x=-1 k=0
near '{"rooted": [2, 4], "rooted_dot": [0.25, 0.5]}' 'jvp(rooted, x)' A=[[0,1],[0,2]] x=[0,4] x_dot=[1,1]
near '{"jac_x": [[0, 0.25], ["inf", 0.5]]}' 'jacobian(rooted, x)' A=[[0,1],[3,2]] x=[0,4]
near '{"d_e": [0, 0]}' 'grad(pushed, e)' v=[0,0] w=[0,0] e=[1,2]
near '{"d_e": [0, 0]}' 'grad(pushed, e)' v=[0,0] w=[3,0] e=[1,2]
near '{"bent": 0, "d_y": 0}' 'value_and_grad(bent, y)' y=-2 v=[] w=[]
p='p=[[0, 0], [1, 1]]'
near '{"d_c": [[0, -1], [0, 0.5], [0, 0]]}' 'grad(nearest, c)' "$p" 'c=[[1, 0.5], [0, 0.25], [5, 5]]'
near '{"d_c": [[1, -1], [-1, 1], [0, 0]]}' 'grad(nearest, c)' "$p" 'c=[[1, 0], [0, 1], [5, 5]]'
near '{"d_c": [[2, 1], [2, 1], [0, 0]]}' 'grad(largest, c)' 'p=[[1, 0], [1, 1]]' 'c=[[1, 0], [1, 0], [0, 0.5]]'
near '{"hess_c": [[[[1, 0.5], [1, 0.5]], [[0.5, 0.5], [0.5, 0.5]]], [[[1, 0.5], [1, 0.5]], [[0.5, 0.5], [0.5, 0.5]]]]}' \
    'hessian(largest, c)' 'p=[[1, 0], [1, 1]]' 'c=[[1, 0], [1, 0]]'
near '{"hess_c": [[[[4, 2], [0, 0]], [[2, 2], [0, 0]]], [[[0, 0], [0, 0]], [[0, 0], [0, 0]]]]}' \
    'hessian(largest, c)' 'p=[[1, 0], [1, 1]]' 'c=[[1, 0], [0, 0.5]]'
near '{"hess_x": 0}' 'hessian(root)' x=-1
near '{"root": 0, "root_dot": 0}' 'jvp(root)' x=-1 x_dot=1
near '{"d_x": 0}' 'grad(tame)' x=-2
near '{"d_x": 0}' 'grad(small)' x=1000
near '{"d_x": 1, "d_y": 1}' 'grad(two, x, y)' x=1 y=1
near '{"d_x": 2.5}' 'grad(sign_free)' x=0
near '{"sign_free": 0, "sign_free_dot": 2.5}' 'jvp(sign_free)' x=0 x_dot=1
near '{"d_p": {"a": [0, 0], "b": 0}}' 'grad(whole)' 'p={"a": [0, 0], "b": 0}'
near '{"d_x": 0, "d_y": 0}' 'grad(flat, x, y)' x=0 y=0
near '{"flat": 0, "flat_dot": 0}' 'jvp(flat)' x=0 y=0 x_dot=1
near '{"d_X": [[0, 0], [1.7071067811865475, 0]]}' 'grad(rows)' 'X=[[0, 0], [2, 0]]'
near '{"d_z": 0}' 'grad(scaled, z)' z=0 'y=[1, 2]'
near '{"d_z": 2.82842712474619, "d_y": [0, 0]}' 'grad(scaled, z, y)' z=2 'y=[0, 0]'
near '{"d_z": 0}' 'grad(scaled, z)' z=2 'y=[]'
near '{"hess_y": [[0.256, -0.192], [-0.192, 0.14400000000000002]]}' 'hessian(scaled, y)' z=2 'y=[3, 4]'
near '{"d_x": [0, 0]}' 'grad(picked, x)' 'x=[1, 2]' 'c=[false, false]'
near '{"hess_x": [[0, 0], [0, 0]]}' 'hessian(cube)' 'x=[0, 0]'
near '{"hess_x": [[1.5, -0.5], [-0.5, 1.5]]}' 'hessian(soft)' 'x=[0, 0]'
near '{"d_x": [0, 0]}' 'grad(pair, x)' 'x=[1, 2]' 'y=[1, 2]'
near '{"d_X": [[0, 0], [0, 0]], "d_l": -0}' 'grad(gram, X, l)' 'X=[[1, 2], [1, 2]]' l=0.5
near '{"hess_l": -0}' 'hessian(gram, l)' 'X=[[1, 2], [1, 2]]' l=0.5
near '{"d_W": [[0.7905355247599388, 0], [0, 0]]}' 'grad(member, W)' 'W=[[1, 0], [0, 1]]' 'x=[[0.5, 0], ["nan", 1]]' 'm=[true, false]'
near '{"d_q": [[2, 0], [0, 0]]}' 'grad(padded)' 'q=[[1, 0], [0, 1]]' 'ok=[true, false]'
near '{"d_q": [[0, 0], [0, 0]]}' 'grad(none)' 'q=[[1, 0], [0, 1]]'
near '{"d_W": [[0, 0], [0, 0], [0, 0]]}' 'grad(mean_of)' 'W=[[1, 2], [3, 4], [5, 6]]' 'X=[]' 'y=[]'
near '{"d_z": 0}' 'grad(some, z)' 'x=[-1, -2]' z=2
near '{"d_lr": -7.1999999919999995}' 'grad(tune)' lr=0.1 'w=[1, 1]' 'x=[2, -1]'
near '{"d_w": [7.2000000001, 0]}' 'grad(tune, w)' lr=0.1 'w=[1, 1]' 'x=[2, -1]'
near '{"d_x": [0, 0]}' 'grad(first)' 'x=[0, 4]' 'w=[0, 0]'
near '{"d_x": [0.25, 0]}' 'grad(first, x)' 'x=[4, 0]' 'w=[1, 0]'
near '{"masked_0": 0.15663084375911152, "masked_1": 0.4066308437591115, "masked_2": -1, "masked_3": 0}' masked 'x=[[1, 2, "-inf"], [0, "-inf", "-inf"]]' 'y=[1, 0]' 'p=[[0.5, 0.5, 0], [1, 0, 0]]'
near '{"d_x": [[-0.09658786794500751, -0.40341213205499304, 0], [-0.5, 0, 0]]}' 'grad(all_losses, x)' 'x=[[1, 2, "-inf"], [0, "-inf", "-inf"]]' 'y=[1, 0]' 'p=[[0.5, 0.5, 0], [1, 0, 0]]'
near '{"sure": 0.23104906018664842, "d_x": [0, 0, 0]}' 'value_and_grad(sure)' 'x=["-inf", "inf", 0]' 'p=[0, 1, 0.5]'
# What is infinite on the way meets a 0, in both modes.
near '{"d_x": 0}' 'grad(steep, x)' w=0 x=2
near '{"steep": 0, "steep_dot": 0}' 'jvp(steep, x)' w=0 x=2 x_dot=1
near '{"d_x": 0, "d_v": [0, 0]}' 'grad(nowhere, x, v)' x=2 'v=[1, 2]'
near '{"d_x": 0}' 'grad(share, x)' n=0 x=2
near '{"low": 0, "low_dot": 0}' 'jvp(low, w, v)' w=-1 v=0 w_dot=1 v_dot=1
near '{"nothing": 0}' nothing n=0
near '{"d_x": "inf"}' 'grad(twice_log)' x=0
near '{"twice_log": "-inf", "twice_log_dot": "inf"}' 'jvp(twice_log)' x=0 x_dot=1
near '{"hess_x": -0.5}' 'hessian(twice_log)' x=-2
near '{"nothing": "-inf"}' nothing n=2
near '{"d_x": 0, "d_w": -0, "d_v": 0.5}' 'grad(fraction, x, w, v)' x=2 w=4 v=0
near '{"fraction": 0, "fraction_dot": 0.5}' 'jvp(fraction, x, v)' x=2 w=4 v=0 x_dot=1 v_dot=1
near '{"hess_v": 0}' 'hessian(fraction, v)' x=2 w=4 v=0
near '{"d_x": 3}' 'grad(itself)' x=2
near '{"itself": 6, "itself_dot": 3}' 'jvp(itself)' x=2 x_dot=1
near '{"d_v": ["inf", 0, 0], "d_w": [0, "inf", "inf"]}' 'grad(geometric, v, w)' 'v=[0, 3, 2]' 'w=[1, 0, 0]'
near '{"d_w": [0, 0]}' 'grad(geometric, w)' 'v=[0, 0]' 'w=[2, 3]'
near '{"d_x": 0, "d_v": [0, 0]}' 'grad(kept_along, x, v)' x=2 'v=[1, 1]'
near '{"d_x": 0, "d_y": 0}' 'grad(opposite, x, y)' x=1 y=2
# A factor of the adjoint that a norm's partial divides by is found.
near '{"hess_x": [[-24, 0], [0, -24]]}' 'hessian(matern, x)' 'x=[1, 2]' 'y=[1, 2]' l=0.5
near '{"d_x": [-24, 0]}' 'grad(matern_along, x)' 'x=[1, 2]' 'y=[1, 2]' l=0.5 'e=[1, 0]'
near '{"d_y": [0, 24]}' 'grad(matern_along, y)' 'x=[1, 2]' 'y=[1, 2]' l=0.5 'e=[0, 1]'
near '{"hess_x": [[-6.666666666666667, 0], [0, -6.666666666666667]]}' 'hessian(matern_5, x)' 'x=[1, 2]' 'y=[1, 2]' l=0.5
near '{"d_l": 0}' 'grad(matern_5, l)' 'x=[1, 2]' 'y=[1, 2]' l=0.5
# All mixtures of modes, at equal points and not.
near '{"m5_2": [-6.666666666666667, -6.666666666666667, -6.666666666666667, -6.666666666666667]}' m5_2 'x=[1, 2]' 'y=[1, 2]' l=0.5 'e=[1, 0]'
near '{"m5_2": [-1.8918621122124135, -1.8918621122124135, -1.8918621122124135, -1.8918621122124135]}' m5_2 'x=[1, 2]' 'y=[1.25, 2]' l=0.5 'e=[1, 0]'
near '{"m5_3": [0, 0, 0, 0]}' m5_3 'x=[1, 2]' 'y=[1, 2]' l=0.5 'e=[1, 0]'
near '{"m5_3": [-20.50852984618241, -20.50852984618241, -20.50852984618241, -20.50852984618241]}' m5_3 'x=[1, 2]' 'y=[1.25, 2]' l=0.5 'e=[1, 0]'
near '{"d_A": [[0.5, 0.7071067811865475], [0, 0]], "d_w": [1, 1.4142135623730951]}' 'grad(row, A, w)' 'A=[[1, 2], [-1, 1]]' 'w=[1, 2]' k=0
near '{"d_x": [2, 0], "d_w": [8, 4]}' 'grad(powers, x, w)' 'x=[4, -2]' 'w=[1, 2]' k=0
near '{"d_x": 1}' 'grad(not_last, x)' x=-0.5 n=2
near '{"d_x": 1, "d_v": [0, 0], "d_w": [0, 0]}' 'grad(first_dot, x, v, w)' x=2 'v=[-1, 2]' 'w=[1, 2]'
near '{"d_v": [0, 0], "d_w": [0, 0]}' 'grad(lengths_of_zero, v, w)' 'v=[0, 0]' 'w=[1, 2]'
near '{"beside_none": 0}' beside_none x=1 'v=[]' 'w=[]'
# The terms of a product, where one is infinite.
near '{"d_A": [["inf", "inf"], [0.25, 0.5]], "d_x": [0.5, 0.25]}' 'grad(length, A, x)' 'A=[[0, 0], [2, 1]]' 'x=[1, 2]'
near '{"d_A": [["inf", "inf"], [0.5, 1]], "d_x": ["-inf", "inf"]}' 'grad(length, A, x)' 'A=[[-2, 1], [1, 0]]' 'x=[1, 2]'
near '{"d_A": [[0, 0], [0, 0]], "d_x": [0, "inf"]}' 'grad(length, A, x)' 'A=[[0, 0], [0, 1]]' 'x=[0, 0]'
near '{"length": 2, "length_dot": 0.5}' 'jvp(length, x)' 'A=[[0, 0], [2, 1]]' 'x=[1, 2]' 'x_dot=[1, 0]'
near '{"jac_x": [[0, 0], [0.5, 0.25]]}' 'jacobian(lengths, x)' 'A=[[0, 0], [2, 1]]' 'x=[1, 2]'
near '{"jac_x": [[0, 0, 0]]}' 'jacobian(lengths, x)' 'A=[[0, 0, 0]]' 'x=[1, 2, 3]'
near '{"d_A": [[0.25, "inf"], [0.16666666666666666, "inf"]]}' 'grad(each, A)' 'A=[[4, 0], [9, 0]]' 'X=[[1, 0], [0, 1]]'
for x in nan inf; do
    near '{"d_z": [[0.909969426716888, -0.24472847105479764, -0.6652409557748219], [0, 0, 0]]}' 'grad(shares, z)' 'z=[[1, 2, 3], ["'$x'", 0, 0]]' m=1
    near '{"d_z": [[0.909969426716888, -0.24472847105479764, -0.6652409557748219], [0, 0, 0]]}' 'grad(shares_on, z)' 'z=[[1, 2, 3], ["'$x'", 0, 0]]' m=1
    near '{"d_z": [[-5, -3, -2], [0, 0, 0]]}' 'grad(products, z)' 'z=[[1, 2, 3], ["'$x'", 0, 0]]' m=1
done
near '{"by_zero": 0, "d_x": []}' 'value_and_grad(by_zero)' 'x=[]'
# Of nothing there is no sum, whatever it is multiplied by.
for f in over often apart linear likely; do
    near "{\"$f\": 0, \"d_s\": 0}" "value_and_grad($f, s)" 'x=[]' s=0
    near "{\"$f\": 0, \"${f}_dot\": 0}" "jvp($f, s)" 'x=[]' s=0 s_dot=1
    near '{"hess_s": 0}' "hessian($f, s)" 'x=[]' s=0
done
near '{"over": "inf"}' over 'x=[1, 2]' s=0
near '{"often": "-inf"}' often 'x=[1, 2]' s=0
# Calls and loops hide nothing of what is infinite.
for f in direct called given captured begun carried ended rowwise stacked; do
    near '{"d_y": 0, "d_x": 0}' "grad($f, y, x)" w=0 y=2 x=0
    near "{\"$f\": \"nan\", \"${f}_dot\": 0}" "jvp($f, y)" w=0 y=2 x=0 y_dot=0
done
for f in direct called given captured ended rowwise stacked; do
    near '{"hess_y": 0}' "hessian($f, y)" w=0 y=2 x=0
done
near '{"d_x": 1}' 'grad(overwritten)' x=-0.3
# A loop of no steps has no derivative, in no order.
near '{"hess_x": 2}' 'hessian(idle, x)' x=-0.3 n=0
near '{"hess_x": 1.5}' 'hessian(idle, x)' x=0.25 n=1
# What a loop starts from counts if it makes no step.
near '{"d_x": -2}' 'grad(unread, x)' k=2 x=-1
near '{"d_x": 0.5}' 'grad(unread, x)' k=0 x=2
# No index is asked for that its branch does not ask for, in no order.
near '{"d_x": 1}' 'grad(along, x)' x=0.5 'v=[2, 3]' 'e=[1, 1]'
near '{"d_v": [0.125, 0, 0]}' 'grad(along, v)' x=0.5 'v=[2, 3, 4]' 'e=[0, 1, 0]'
# A norm at 0 is as abs at 0, of all sizes and in all orders.
near '{"d_x": [0, 0]}' 'grad(flat_once, x)' 'x=[0, 0]' 'y=[0, 0]'
near '{"hess_x": [[0, 0], [0, 0]]}' 'hessian(flat_once, x)' 'x=[0, 0]' 'y=[0, 0]'
near '{"hess_x": [[0, 0], [0, 0]]}' 'hessian(flat_known)' 'x=[0, 0]'
near '{"hess_x": [[0]]}' 'hessian(lone)' 'x=[0]'
near '{"hess_x": [[0, 0], [0, 0]]}' 'hessian(lone)' 'x=[0, 0]'
near '{"hess_x": [[0, 0], [0, 0]]}' 'hessian(in_norm)' 'x=[1, 1]'
near '{"hv_x": [0, 0]}' 'hvp(lone)' 'x=[0, 0]' 'v=[1, 2]'
near '{"hv_x": 0, "hv_y": 0}' 'hvp(tie, x, y)' x=0.5 y=0 c=true v_x=1 v_y=2
# An infinite adjoint of a system's solution is finite where it has no part.
for f in solved solved_small; do
    near '{"d_v": [0, 0], "d_w": [0, 0]}' "grad($f, v, w)" 'v=[0, 0]' 'w=[1, 2]' 'c=[1, 3]'
done
near '{"d_v": ["inf", 0], "d_w": [0, 0]}' 'grad(solved_down, v, w)' 'v=[0, 0]' 'w=[1, 2]' 'c=[1, 0]'
for x in 0 1e-400; do
    near '{"d_A": [[0, 0], ["inf", 1]]}' 'grad(weighed, A)' 'w=[0, 1]' 'A=[[1, 2], [3, 4]]' x="[$x, 1]"
done
near '{"d_A": [[0, 0], ["inf", 2.718281828459045]]}' 'grad(grown, A)' 'w=[0, 1]' 'A=[[1, 2], [3, 4]]' x='[1000, 0]'
near '{"d_A": [[["inf", 2]], [[0, 0]]]}' 'grad(stack, A)' 'w=[[1], [0]]' 'A=[[[1, 2]], [[3, 4]]]' x='[[0, 0.5], [0, 1]]'
