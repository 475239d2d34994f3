# language-derivatives.sh: derivatives: nested, of structs and stacks, of branches.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use nn;
struct P { a: real[2], b: real }
struct B[n] { w: real[n, n], p: P }
fn f(x: real, z: real) -> real = x ^ 2 * z;
fn gg(x: real) -> real = grad(f, x)(x, 3);
fn g_vg(x: real) -> real { let t = value_and_grad(f, x)(x, 3); t.0 * t.1 }
fn g_jvp(x: real) -> real { let (v, d) = jvp(f, x)(x, 3, x); v + d }
fn g_vjp(x: real) -> real { let (v, d) = vjp(f, x)(x, 3, x); v + d }
fn multi(x: real, z: real) -> (real, real) = grad(f, x, z)(x, z);
fn ploss(p: P, x: real[2]) -> real = sum(p.a * x) ^ 2 * p.b;
fn pstep(p: P, x: real[2]) -> real { let fast = p - 0.1 * grad(ploss)(p, x); ploss(fast, x) }
fn stackloss(bs: [B[n]; 3], x: real[n]) -> real { let h = bs[0].w @ x; let h2 = bs[1].w @ h; sum(bs[2].w @ h2) * bs[1].p.b + sum(bs[0].p.a) }
fn runi(bs: [P; 3], i: int) -> real = bs[i].b ^ 2 + sum(bs[i].a);
fn tuplearg(t: (real, real[2])) -> real = t.0 * sum(t.1);
fn act(g: fn(real[n]) -> real[n], x: real[n]) -> real = sum(g(x));
fn useact(x: real[n]) -> real = act(fn(y) = y * y * x, x) + act(relu, x);
fn vec(x: real[n]) -> real[n] = x * x;
fn sc(x: real[n]) -> real = sum(vec(x) * x);
fn dirs(x: real[n], v: real[n]) -> real[n] = jvp(grad(sc), x)(x, v).1;
fn hv(x: real[n], v: real[n]) -> real[n] = grad(fn(x: real[n]) = dot(grad(sc)(x), v))(x);
fn st(x: real) -> real = stop(x) * x;
fn mx(x: real[n]) -> real = max(x);
fn ab(x: real) -> real = abs(x);
fn pw(x: real, y: real) -> real = x ^ y;
fn nrm(x: real[n]) -> real = norm(x);
fn wh(x: real[n]) -> real = sum(where(x > 0, log(x) / x, 0));
fn nestwh(x: real) -> real = where(x > 0, where(x < 1, sqrt(x) * log(x), 0), 0);
fn nestif(x: real) -> real = if x > 0 { let y = sqrt(x); if y < 1 { y * log(x) } else { 1 / y } } else { 0 };
fn whsum(x: real[n]) -> real { let s = where(x > 0, sqrt(x), 0); sum(s * s) + sum(s) }
fn loss2(x: real[n]) -> real = sum(sqrt(where(x > 0, x, 1)));
fn div0(x: real) -> real = if x == 0 { 1 } else { sin(x) / x };
fn reg(p: P) -> real = dot(p, p);
fn bools(x: real, flag: bool, k: int) -> real = if flag { x ^ 2 } else { x ^ 3 * real(k) };
fn res(p: P, x: real) -> (P, real) = (x * p, x);
fn gather(t: real[v, d], k: int[b]) -> real = sum(t[k] ^ 2);
fn detach(x: real) -> real = grad(st)(x);
fn lse(x: real[n, m]) -> real = sum(logsumexp(x, axis = 1));
fn prods(x: real[n]) -> real = prod(x);
fn xe(l: real[b, k], y: int[b]) -> real = cross_entropy(l, y);
fn maml(w: real[2], x: real[2]) -> real { let fast = w - 0.1 * grad(inner, w)(w, x); inner(fast, x) }
fn inner(w: real[2], x: real[2]) -> real = sum((w * x - 1) ^ 2);
fn tupres(x: real) -> (real, (real, real)) = (x, (x * x, x ^ 3));
export grad(maml, w) as mg;
N
accept "$NNCC" m.nn
is '{"gg": 12}' gg x=2
is '{"d_x": 6}' 'grad(gg)' x=2
is '{"g_vg": 144}' g_vg x=2
is '{"d_x": 216}' 'grad(g_vg)' x=2
is '{"g_jvp": 36}' g_jvp x=2
is '{"d_x": 36}' 'grad(g_jvp)' x=2
is '{"d_x": 36}' 'grad(g_vjp)' x=2
is '{"multi_0": 12, "multi_1": 4}' multi x=2 z=3
is '{"d_x": 12, "d_z": 4}' 'grad(f, x, z)' x=2 z=3
is '{"f": 12, "d_x": 12, "d_z": 4}' 'value_and_grad(f, x, z)' x=2 z=3
is '{"f": 12, "f_dot": 16}' 'jvp(f, x, z)' x=2 z=3 x_dot=1 z_dot=1
is '{"f": 12, "x_bar": 12, "z_bar": 4}' 'vjp(f, x, z)' x=2 z=3 y_bar=1
is '{"d_p": {"a": [6, 0], "b": 1}}' 'grad(ploss)' p='{"a":[1,1],"b":3}' x='[1,0]'
is '{"d_p": {"a": [0, 6], "b": 1}}' 'grad(ploss)' p='{"a":[1,1],"b":3}' x='[0,1]'
is '{"ploss": 3, "ploss_dot": 7}' 'jvp(ploss)' p='{"a":[1,1],"b":3}' x='[0,1]' p_dot='{"a":[1,1],"b":1}'
is '{"d_p": {"a": [0, 0.896], "b": -0.30400002}}' 'grad(pstep)' p='{"a":[1,1],"b":3}' x='[0,1]'
is '{"d_bs": {"a": [[0, 0], [1, 1], [0, 0]], "b": [0, 4, 0]}}' 'grad(runi)' bs='{"a":[[1,2],[3,4],[5,6]],"b":[1,2,3]}' i=1
is '{"d_t_0": 3, "d_t_1": [2, 2]}' 'grad(tuplearg)' t='[2, [1, 2]]'
is '{"useact": 12}' useact x='[1,2]'
is '{"d_x": [4, 13]}' 'grad(useact)' x='[1,2]'
is '{"dirs": [6, 0]}' dirs x='[1,2]' v='[1,0]'
is '{"hv": [6, 0]}' hv x='[1,2]' v='[1,0]'
is '{"d_x": 3}' 'grad(st)' x=3
is '{"detach": 3}' detach x=3
is '{"d_x": 0}' 'grad(detach)' x=3
is '{"d_x": [0.5, 0.5]}' 'grad(mx)' x='[1,1]'
is '{"d_x": 0}' 'grad(ab)' x=0
is '{"d_x": 0, "d_y": 0}' 'grad(pw, x, y)' x=0 y=2
is '{"d_x": [0, 1]}' 'grad(wh)' x='[-1,1]'
is '{"d_x": [0, 1]}' 'grad(wh)' x='[0,1]'
is '{"d_x": 0}' 'grad(nestwh)' x=0
is '{"d_x": 0}' 'grad(nestwh)' x=-1
is '{"d_x": 0}' 'grad(nestif)' x=0
is '{"d_x": 0}' 'grad(grad(nestif))' x=0
is '{"d_x": 0}' 'grad(grad(nestwh))' x=0
is '{"d_x": 0}' 'grad(grad(grad(nestwh)))' x=-1
is '{"nestwh": 0, "nestwh_dot": 0}' 'jvp(nestwh)' x=-1 x_dot=1
is '{"nestwh": 0, "x_bar": 0}' 'vjp(nestwh)' x=-1 y_bar=1
is '{"d_x": [0, 1.5]}' 'grad(whsum)' x='[0,1]'
is '{"d_x": 0}' 'grad(div0)' x=0
is '{"d_x": 0}' 'grad(grad(div0))' x=0
is '{"d_p": {"a": [2, 4], "b": 6}}' 'grad(reg)' p='{"a":[1,2],"b":3}'
is '{"d_x": 4}' 'grad(bools)' x=2 flag=true k=3
is '{"d_x": 36}' 'grad(bools)' x=2 flag=false k=3
is '{"res_0": {"a": [2, 4], "b": 6}, "res_1": 2}' res p='{"a":[1,2],"b":3}' x=2
is '{"d_t": [[0, 0], [8, 12]]}' 'grad(gather)' t='[[1,1],[2,3]]' k='[1,1]'
is '{"d_x": [[0.26894143, 0.7310586]]}' 'grad(lse)' x='[[0,1]]'
is '{"d_x": [0, 3, 0]}' 'grad(prods)' x='[1,0,3]'
is '{"d_l": [[-0.5, 0.5]]}' 'grad(xe)' l='[[0,0]]' y='[0]'
accept "$NNCC" check m.nn
# Jacobians, Hessians and what is their own structure.
cat >m.nn <<'N'
struct P { a: real[2], b: real }
fn f(x: real[n], z: real) -> real[n] = x * x * z + sum(x);
fn aff(A: real[m, n], x: real[n]) -> real[m] = tanh(A @ x);
fn g(x: real[n], z: real) -> real = sum(x ^ 3) * z + x[0] * x[0] * z ^ 2;
fn h(p: P, c: real[2]) -> real[2] = p.a * p.a * p.b + c;
fn l(p: P, c: real[2]) -> real = sum(h(p, c)) ^ 2;
fn tup(x: real[2]) -> (real, real[2]) = (sum(x * x), exp(x));
fn mat(X: real[2, 3]) -> real[3, 2] = X' * 2 + sum(X * X);
fn sp(p: P) -> P = 2 * p;
fn lse(w: real[n], X: real[m, n]) -> real = logsumexp(X @ w);
fn hj(x: real[2]) -> real[2, 2] = hessian(g, x)(x, 3);
export jacobian(f, x) as f_jac;
export jacobian(f, x, z) as f_jac2;
export jacobian(aff, x) as aff_x;
export jacobian(aff, A) as aff_a;
export hessian(g) as g_h;
export hessian(g, x, z) as g_h2;
export hvp(g) as g_v;
export hvp(g, x, z) as g_v2;
export jacobian(h) as h_j;
export jacobian(h, p, c) as h_j2;
export hessian(l) as l_h;
export hvp(l) as l_v;
export jacobian(tup) as t_j;
export jacobian(mat) as m_j;
export jacobian(sp) as sp_j;
export hessian(lse) as lse_h;
export hj;
N
accept "$NNCC" check m.nn
accept "$NNCC" m.nn -o m.h
accept $CC -std=c99 -Wall -Wextra -Werror -fsyntax-only -x c m.h
accept g++ -Wall -Wextra -Werror -fsyntax-only -x c++ m.h
is '{"jac_x": [[3, 1], [1, 5]]}' f_jac x='[1,2]' z=1
is '{"hess_x": [[8, 0], [0, 12]]}' g_h x='[1,2]' z=1
is '{"hess_p": {"a": {"a": [[276, 144], [144, 492]], "b": [128, 256]}, "b": {"a": [128, 256], "b": 50}}}' l_h p='{"a":[1,2],"b":3}' c='[1,1]'
is '{"hess_x_0": [[8, 0], [0, 12]], "hess_x_1": [7, 12], "hess_z_0": [7, 12], "hess_z_1": 2}' g_h2 x='[1,2]' z=1
is '{"hv_x": [8, 12]}' g_v x='[1,2]' z=1 v='[1,1]'
is '{"hv_x": [15, 24], "hv_z": 21}' g_v2 x='[1,2]' z=1 v_x='[1,1]' v_z=1
is '{"jac_p": {"a": [[6, 0], [0, 12]], "b": [1, 4]}}' h_j p='{"a":[1,2],"b":3}' c='[1,1]'
is '{"jac_x_0": [2, 4], "jac_x_1": [[1, 0], [0, 1]]}' 'jacobian(fn(x: real[2]) = (sum(x * x), x + 0 * x), x)' x='[1,2]'
is '{"jac_p": {"a": {"a": [[2, 0], [0, 2]], "b": [0, 0]}, "b": {"a": [0, 0], "b": 2}}}' sp_j p='{"a":[1,2],"b":3}'
is '{"jac_X": [[[[4, 4, 6], [8, 10, 12]], [[2, 4, 6], [10, 10, 12]]], [[[2, 6, 6], [8, 10, 12]], [[2, 4, 6], [8, 12, 12]]], [[[2, 4, 8], [8, 10, 12]], [[2, 4, 6], [8, 10, 14]]]]}' m_j X='[[1,2,3],[4,5,6]]'

# Derivatives that the user gives; what is computed again.
cat >m.nn <<'N'
struct P { a: real[2], b: real }
const k = 3.0;
fn f(x: real, z: real) -> real = x * x * z * k;
derivative f(x: real, z: real; y: real, y_bar: real) { (2 * x * z * k * y_bar, y / z * y_bar) }
fn vec(x: real[n], i: int) -> real[n] = sin(x) * real(i);
derivative vec(x, i; y, y_bar) { y_bar * cos(x) * real(i) }
fn ps(p: P) -> P = p * p;
derivative ps(p; y, y_bar) = 2 * p * y_bar;
fn uses(x: real[n]) -> real = sum(vec(x, 3) * vec(x, 2)) * f(x[0], 2);
fn block(x: real[n], W: real[n, n]) -> real[n] = tanh(W @ x) + sin(x);
fn net(x: real[n], W: real[n, n]) -> real = sum(remat(block)(remat(block)(x, W), W));
fn net0(x: real[n], W: real[n, n]) -> real = sum(block(block(x, W), W));
export f, vec, uses, net;
export grad(f, x, z) as fg;
export grad(uses) as ug;
export grad(net, x, W) as ng;
export grad(net0, x, W) as ng0;
export jvp(uses) as uj;
export hvp(net) as nh;
fn off(x: real) -> real = sin(x);
derivative off(x; y, y_bar) = 2 * cos(x) * y_bar;
fn solve(a: real) -> real = fold(t < 60, x = 1.0 | 0.5 * (x + (1 + a * a) / x));
derivative solve(a; x, x_bar) = x_bar * a / x;
fn of_solve(a: real) -> real = solve(a) * a;
fn many(x: real[n]) -> real[n] = [i | solve(x[i])];
fn steps(x: real[2], u: real) -> real = fold(t < 3, s = u | solve(s + x[0]) * x[1]);
fn layers(x: real[n], W: real[n, n]) -> real = sum(fold(t < 4, h = x | remat(block)(h, W)));
export vjp(many) as b_many;
export grad(steps, x, u) as d_steps;
export grad(layers, x, W) as d_layers;
export of_solve;
export grad(of_solve) as d_of_solve;
N
refuse 1 '1 of [0-9]* checks failed' "$NNCC" check m.nn
grep -q 'off  *x_bar  *OFF' out.txt || fail "no word of off"
sed -i '/off(x/d' m.nn
accept "$NNCC" check m.nn
accept "$NNCC" run m.nn ng x='[1,2]' W='[[0.5,0.25],[0.125,1]]'
grep -q '^{"d_x": \[' out.txt || fail "$(cat out.txt)"
is '{"d_a": 1}' d_of_solve a=0
is '{"d_x": 36, "d_z": 12}' fg x=2 z=3

# Calls that stay calls inside of each other, of themselves and of loops.
cat >m.nn <<'N'
fn f(x: real) -> real = sin(x) * x;
derivative f(x; y, y_bar) = y_bar * (cos(x) * x + sin(x));
fn thrice(x: real) -> real = remat(fn(z) = f(z) * f(f(z) + x))(f(f(f(x))));
fn nested(x: real) -> real = remat(fn(z) = remat(fn(w) = f(w) * z)(f(z)))(x);
fn carried(x: real, n: real[3]) -> real = fold(t < 3, s = x | remat(fn(q) = f(q) + n[t])(s));
fn loss(x: real, n: real[3]) -> real =
  thrice(x) + nested(x) + carried(x, n) + fold(i < 3, s = 0.0 | s + fold(j < 3, r = x | r / 2 + f(n[j]) * n[i]));
fn slope(x: real) -> real = grad(fn(x: real) = f(f(x)))(x);
export grad(loss, x, n);
export hessian(loss, x);
export grad(slope);
N
accept "$NNCC" check m.nn

# Derivatives of the user's own, of functions of any type.
cat >m.nn <<'N'
struct L[n] { w: real[n], b: real }
fn relu6(x: real[..]) -> real[..] = min(max(x, 0), 6);
derivative relu6(x; y, y_bar) = where(x > 0, where(x < 6, y_bar, 0), 0);
fn sq[T](x: T) -> T = x * x;
derivative sq(x; y, y_bar) = 2 * x * y_bar;
fn pw(x: real[n], k: real = 2) -> real[n] = x ^ k;
derivative pw(x, k; y, y_bar) = (k * x ^ (k - 1) * y_bar, sum(y_bar * y * log(x)));
fn lin(l: L[n], x: real[n]) -> real = dot(l.w, x) + l.b;
derivative lin(l, x; y, y_bar) { let g: L[n] = L(w = y_bar * x, b = y_bar); (g, y_bar * l.w) }
fn pair(x: real) -> (real, real[2]) = (x * x, [x, 3 * x]);
derivative pair(x; y, y_bar) = 2 * x * y_bar.0 + y_bar.1[0] + 3 * y_bar.1[1];
fn ext(x: real, t: real[v, d], i: int[m]) -> real = x * sum(t[i]);
derivative ext(x, t, i; y, y_bar) = (y / x * y_bar, vjp(ext0, t)(x, t, i, y_bar).1);
fn ext0(x: real, t: real[v, d], i: int[m]) -> real = x * sum(t[i]);
fn useall(x: real[2, 3], l: L[3]) -> real = sum(relu6(x)) + sum(sq(x)) + sum(pw(abs(x[0]) + 0.1)) + sum(sq(l)) + lin(l, x[1]) + pair(x[0, 0]).1[1] + ext(l.b, x, [0, 1, 1]);
export grad(useall, x, l) as g;
export hvp(useall, x) as h;
export jvp(useall, x, l) as j;
N
accept "$NNCC" check m.nn

# A Hessian by all of a net.
cat >m.nn <<'N'
use nn;
struct Net { h: Linear[2, 3], out: Linear[3, 2] }
fn logits(net: Net, x: real[b, 2]) -> real[b, 2] = x |> linear(net.h) |> relu |> linear(net.out);
fn loss(net: Net, x: real[b, 2], y: int[b]) -> real = cross_entropy(logits(net, x), y);
export hessian(loss, net) as hess;
export hvp(loss, net) as loss_hv;
export jacobian(logits, net, x) as j;
N
accept "$NNCC" check m.nn
