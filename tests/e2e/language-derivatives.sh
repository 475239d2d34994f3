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
is '{"d_p": {"a": [0, 0.8959999], "b": -0.30400002}}' 'grad(pstep)' p='{"a":[1,1],"b":3}' x='[0,1]'
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
