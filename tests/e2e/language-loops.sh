# language-loops.sh: fold and scan.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
struct P { a: real, b: real[2] }
struct B[n] { W: real[n, n], b: real[n] }
fn geo(x: real, n: int) -> real = fold(t < n, h = 1 | h * x);
fn total(x: real[n]) -> real = fold(t, s = 0 | s + x[t]);
fn rows(x: real[n, m]) -> real[m] = fold(t, s = 0 | s + x[t]);
fn cum(x: real[n]) -> real[n] = scan(t, s = 0 | s + x[t]);
fn fib(n: int) -> (int, int) = fold(t < n, a = 0, b = 1 | (b, a + b));
fn fibs(n: int) -> (int[n], int[n]) = scan(t < n, a = 0, b = 1 | (b, a + b));
fn rnn(W: real[n, n], x: real[T, n]) -> real[T, n] = scan(t, h = zeros([n]) | tanh(W @ h + x[t]));
fn newton(a: real) -> real = fold(t < 50, x = a, until = abs(x * x - a) < 1e-6 | 0.5 * (x + a / x));
fn halves(x: real) -> real[6] = scan(t < 6, y = x, until = y < 1 | y / 2);
fn stopped(x: real) -> real[3] = scan(t < 3, y = x, until = y < 100 | y / 2);
fn blocks(bs: [B[n]; k], x: real[n]) -> real[n] = fold(i, h = x | tanh(bs[i].W @ h + bs[i].b));
fn nestl(A: real[n, m]) -> real = fold(i, s = 0 | fold(j, r = s | r + A[i, j] * real(i + 1)));
fn incomp(A: real[n, m]) -> real[n] = [i | fold(j, r = 0 | r + A[i, j])];
fn tri(A: real[n, n]) -> real[n] = [i < n | fold(j < i, r = 0 | r + A[i, j])];
fn structc(x: real[n]) -> P = fold(t, p = P(a = 0, b = [1, 1]) | P(a = p.a + x[t], b = p.b * 2));
fn structs(x: real[n]) -> [P; n] = scan(t, p = P(a = 0, b = [1, 1]) | P(a = p.a + x[t], b = p.b * 2));
fn tup(x: real[n]) -> (real, int) = fold(t, p = (0, 0) | (p.0 + x[t], p.1 + 1));
fn compin(A: real[n, m], x: real[m]) -> real[m] = fold(t < 3, h = x | [j < m | h[j] + sum(k | A[k, j])]);
fn step(h: real, u: real) -> real = sin(h) + u;
fn dl(x: real[n]) -> real = fold(t, h = 0.5 | h - 0.1 * grad(step)(h, x[t]));
fn swap(x: real, y: real, n: int) -> (real, real) = fold(t < n, a = x, b = y | (b, a));
fn rk4(f: fn(real[d]) -> real[d], y: real[d], h: real) -> real[d] {
  let a = f(y); let b = f(y + h / 2 * a); let c = f(y + h / 2 * b); let e = f(y + h * c);
  y + h / 6 * (a + 2 * b + 2 * c + e)
}
fn ode(y: real[2], w: real, n: int) -> real[2] = fold(t < n, z = y | rk4(fn(q) = [q[1], -w * w * q[0]], z, 0.1));
fn collatz(n: int) -> int = fold(t < 1000, k = n, c = 0, until = k == 1 | (if k % 2 == 0 { k / 2 } else { 3 * k + 1 }, c + 1)).1;
fn dyn(x: real[n], k: int[1]) -> real = fold(t < k[0], s = 0 | s + x[t]);
fn window(x: real[n]) -> real = fold(t < n - 2, s = 0 | s + sum(x[t : t + 3]));
fn geo2(x: real) -> real = geo(x, 5);
fn rnnl(W: real[n, n], x: real[T, n]) -> real = sum(rnn(W, x) ^ 2);
fn sum_halves(x: real) -> real = sum(halves(x));
fn blockl(bs: [B[n]; k], x: real[n]) -> real = sum(blocks(bs, x));
fn cum_squares(x: real[n]) -> real = sum(cum(x) ^ 2);
fn triq(A: real[n, n]) -> real = sum(tri(A) ^ 2);
fn scl(x: real[n]) -> real = sum(structs(x)) + sum(structc(x).b) * x[0];
fn compl(A: real[n, m], x: real[m]) -> real = sum(compin(A, x) ^ 2);
fn odel(y: real[2], w: real, n: int) -> real = sum(ode(y, w, n) ^ 2);
fn winl(x: real[n]) -> real = window(x) ^ 2;
fn drop(k: key, x: real[n]) -> real = fold(t < 3, k = k, s = 0 | { let (a, b) = split(k); (a, s + sum(uniform(b, [n]) * x)) }).1;
fn powers(x: real, n: int) -> real[n] = scan(t < n, p = 1 | p * x);
fn horner(c: real[n], x: real[m]) -> real[m] = [i | fold(t < n, s = 0 | s * x[i] + c[n - 1 - t])];
fn root(a: real) -> real = newton(1 + a * a);
fn tri_solve(L: real[n, n], b: real[n]) -> real[n] =
  fold(i < n, x = zeros([n]) | [j < n | if j == i { (b[i] - sum(k < i | L[i, k] * x[k])) / L[i, i] } else { x[j] }]);
fn tri_sum(L: real[n, n], b: real[n]) -> real = sum(tri_solve([i < n, j < n | L[i, j] + (if i == j { 3.0 } else { 0.0 })], b));
export total, rows, cum, fibs, rnn, newton, halves, blocks, nestl, incomp, tri, structc, structs;
export swap, ode, collatz, dyn, window, powers, horner, tri_solve, drop;
export grad(total);
export grad(cum_squares);
export grad(rnnl, W, x) as rnn_grad;
export jvp(rnnl, W, x) as rnn_jvp;
export grad(sum_halves);
export grad(blockl, bs, x) as blocks_grad;
export grad(triq);
export grad(scl);
export grad(dl);
export grad(odel, y, w) as ode_grad;
export grad(winl);
export grad(root);
export vjp(horner, c, x) as horner_vjp;
export grad(tri_sum, L, b) as tri_grad;
export grad(compl, A, x) as comp_grad;
export grad(nestl);
export grad(grad(geo2)) as geo_second;
N
accept "$NNCC" m.nn
is '{"geo": 32}' geo x=2 n=5
is '{"geo": 1}' geo x=2 n=0
is '{"total": 6}' total x='[1,2,3]'
is '{"total": 0}' total x='[]'
is '{"rows": [4, 6]}' rows x='[[1,2],[3,4]]'
is '{"cum": [1, 3, 6]}' cum x='[1,2,3]'
is '{"fib_0": 55, "fib_1": 89}' fib n=10
is '{"fibs_0": [1, 1, 2, 3, 5], "fibs_1": [1, 2, 3, 5, 8]}' fibs n=5
is '{"rnn": [[0.7615942, 0.7615942], [0.36339948, 0.8811296]]}' rnn W='[[0.5,0],[0,0.5]]' x='[[1,1],[0,1]]'
is '{"newton": 1.4142135}' newton a=2
is '{"d_a": 0.4472136}' 'grad(root)' a=0.5
is '{"halves": [2.5, 1.25, 0.625, 0.625, 0.625, 0.625]}' halves x=5
is '{"stopped": [5, 5, 5]}' stopped x=5
is '{"blocks": [0.961396, 0.9426808]}' blocks bs='{"W":[[[1,0],[0,1]],[[0,1],[1,0]]],"b":[[0,0],[1,1]]}' x='[1,2]'
is '{"nestl": 17}' nestl A='[[1,2],[3,4]]'
is '{"incomp": [3, 7]}' incomp A='[[1,2],[3,4]]'
is '{"tri": [0, 3]}' tri A='[[1,2],[3,4]]'
is '{"structc": {"a": 3, "b": [4, 4]}}' structc x='[1,2]'
is '{"structs": {"a": [1, 3], "b": [[2, 2], [4, 4]]}}' structs x='[1,2]'
is '{"tup_0": 3, "tup_1": 2}' tup x='[1,2]'
is '{"compin": [13, 19]}' compin A='[[1,2],[3,4]]' x='[1,1]'
is '{"swap_0": 2, "swap_1": 1}' swap x=1 y=2 n=3
near '{"ode": [0.540302967116884, -0.8414704778967953]}' ode y='[1,0]' w=1 n=10
is '{"collatz": 111}' collatz n=27
is '{"dyn": 3}' dyn x='[1,2,3]' k='[2]'
is '{"window": 15}' window x='[1,2,3,4]'
is '{"powers": [2, 4, 8, 16]}' powers x=2 n=4
is '{"horner": [6, 17]}' horner c='[1,2,3]' x='[1,2]'
is '{"tri_solve": [1, 2]}' tri_solve L='[[2,0],[1,4]]' b='[2,9]'
is '{"d_x": [1, 1, 1]}' 'grad(total)' x='[1,2,3]'
is '{"d_x": [20, 18, 12]}' 'grad(cum_squares)' x='[1,2,3]'
is '{"d_x": 80}' 'grad(geo2)' x=2
is '{"d_x": 160}' 'grad(grad(geo2))' x=2
accept "$NNCC" check m.nn

# What is read only in a branch: its adjoint is 0 elsewhere, and what says so is
# not carried from step to step.
cat >m.nn <<'N'
fn roots(x: real[n]) -> real {
  let r = sqrt(x);
  fold(t < n + 1, s = 0.0 | s + if t < n { where(x[t] > 0, r[t], 0) } else { 0 })
}
fn rows(x: real[n, m]) -> real {
  let r = 1 / x;
  fold(t < n + 1, s = 0.0 | s * s + if t < n { sum(j | where(x[t, j] > 0, r[t, j], 0)) } else { 0 })
}
export grad(rows);
N
is '{"d_x": [0.5, 0, 0.25]}' 'grad(roots)' x='[1,0,4]'
accept "$NNCC" check m.nn
accept "$NNCC" m.nn --dump=kernels
if grep 'bool\[[mn]\*[mn]\]' out.txt; then fail "a mask as large as x"; fi

# What is the same for all steps is computed before them, also where only a
# branch that some elements choose reads it.
cat >m.nn <<'N'
fn x(A: real[n, n], b: real[n], m: int) -> real[n] =
  [i < n | if b[i] > 0 { fold(t < m, s = b[i] | fold(k < m, r = s | r * sum(exp(A[i])) - real(t))) } else { 0 }];
export x;
N
is '{"x": [29, 0]}' x A='[[0,0],[1,1]]' b='[2,-1]' m=2
accept "$NNCC" m.nn --dump=expanded
grep -q '= exp(' out.txt || fail "$(cat out.txt)"
if grep '^ .*= exp(' out.txt; then fail 'in each step what is the same in all'; fi

# A bound that is negative makes no step; the size of a result is not negative.
cat >m.nn <<'N'
fn least(x: real, k: int, y: real[n]) -> real = fold(t < min(k, n), s = x | s * y[t]);
fn given(x: real, k: int) -> real = fold(t < k, s = x | s * 2);
fn all(x: real, k: int) -> real[k] = scan(t < k, s = x | s * 2);
N
is '{"least": 3}' least x=3 k=-2 y='[1,2]'
is '{"d_x": 1, "d_y": [0, 0]}' 'grad(least, x, y)' x=3 k=-2 y='[1,2]'
is '{"given": 3}' given x=3 k=-2
is '{"d_x": 1}' 'grad(given)' x=3 k=-2
is '{"d_x": 4}' 'grad(given)' x=3 k=2
refuse 1 "'-2'" "$NNCC" run m.nn all x=3 k=-2

# So does one that an expression of sizes gives, in all modes and in batches; what is
# read in its steps is a view of nothing then.
cat >m.nn <<'N'
fn late(x: real[n]) -> real = fold(t < n - 5, s = 1.0 | s + s * x[t + 5]);
fn never(x: real[n]) -> real = fold(t < -3, s = sum(x) | s + 1);
fn differ(x: real[n], k: int) -> real = fold(t < k - n, s = sum(x) | s * 1.5);
fn stops(x: real[n]) -> real = fold(t < n - 5, s = 1.0, until = s > 2 | s + s * x[t + 5]^2);
fn pairs(x: real[n]) -> real = fold(t < n - 1, s = 0.0 | tanh(s) + x[t] * x[t + 1]);
fn strides(x: real[n]) -> real = fold(t < n / 2 - 2, s = 1.0 | s + s * x[2 * t + 4]);
fn nested(x: real[n], m: int) -> real[n] =
  fold(t < m - 3, s = x | fold(k < n - 5, r = s | sin(r) + x[k + 5] * r));
fn batch(x: real[n]) -> real[n] = [j < n | fold(t < j - 2, s = x[j] | s * x[t] + sin(s))];
fn rows(x: real[n]) -> real[n] = [j < n | fold(t < n - 5, s = x[j] | s * x[t + 5] + x[j])];
fn scans(x: real[n]) -> real = sum(scan(t < n - 5, s = 0.0 | s + x[t + 5]));
export late, never, differ, stops, pairs, nested, batch, rows, scans;
export grad(late) as d_late, hessian(late) as d2_late, jvp(late) as t_late, grad(never) as d_never;
export grad(differ, x) as d_differ, hessian(stops) as d2_stops, hessian(pairs) as d2_pairs;
export jacobian(nested, x) as d_nested, jacobian(batch) as d_batch, jacobian(rows) as d_rows;
export hessian(strides) as d2_strides;
N
is '{"late": 1}' late x='[1,2,3]'
is '{"late": 1}' late x='[]'
is '{"late": 8}' late x='[0,0,0,0,0,1,3]'
is '{"hess_x": [[0, 0], [0, 0]]}' d2_late x='[1,2]'
is '{"never": 3}' never x='[1,2]'
is '{"d_x": [1, 1]}' d_never x='[1,2]'
is '{"differ": 3}' differ x='[1,2]' k=1
is '{"differ": 4.5}' differ x='[1,2]' k=3
is '{"rows": [1, 2, 3]}' rows x='[1,2,3]'
is '{"jac_x": [[1, 0], [0, 1]]}' d_rows x='[1,2]'
refuse 1 'negative' "$NNCC" run m.nn scans x='[1,2,3]'
for seed in 1 2; do
    accept "$NNCC" check m.nn --edges --seed=$seed
done
accept "$NNCC" check m.nn --at x='[0.5,-0.5,1,0.2,0.3,1.5,-0.7,0.4,1.1]'
# Reads of each step are inputs, as where the bound is never negative.
accept "$NNCC" m.nn --dump=simplified
if grep -q gather out.txt; then fail "gathers: $(grep gather out.txt)"; fi

# A reduction has no terms then. An array has as many elements as it says, whether it
# is stored or not, and in a branch that is not taken: else there is no call.
cat >m.nn <<'N'
fn ones(x: real[n]) -> real = sum(i < n - 5 | 1.0);
fn terms(x: real[n]) -> real = sum(i < n - 5 | x[i] * x[i + 5]);
fn most(x: real[n]) -> real = max(i < n - 5, j < 2 | x[i]);
fn counted(x: real, k: int) -> real = sum(i < k - 3 | 1 + x);
fn never(x: real) -> real = sum(i < -3 | x);
fn between(x: real[n]) -> real = mean(i < n - 1 | (x[i + 1] - x[i])^2);
fn rows(x: real[n]) -> real[n] = [j < n | prod(i < n - 5 | x[i] + x[j])];
fn square(A: real[n, n]) -> real[n, n] = [i, j | sum(k < n - 5 | A[i, k + 5] * A[k, j])];
fn made(x: real[n]) -> real = sum([i < n - 5 | exp(x[i])]);
fn cut(x: real[n]) -> real = sum(exp(x[5:]));
fn zero(x: real[n]) -> real = sum(zeros([n - 5])) + x[0];
fn given(x: real[n]) -> real = { let d: real[n - 5] = x[5:]; sum(d) };
fn counts(k: int) -> real = sum([i < k - 3 | 1.5]);
fn branch(x: real[n]) -> real = if n < 5 { 0 } else { sum([i < n - 5 | x[i]]) };
fn meant(x: real[n]) -> real = sum([i < max(n - 5, 0) | exp(x[i])]);
export ones, terms, most, counted, never, between, rows, square, made, cut, zero, given, branch, meant;
export counts, grad(terms) as d_terms, hessian(between) as d2_between, jacobian(rows) as d_rows;
export vjp(square) as back, jvp(most) as t_most, grad(made) as d_made;
N
sed '/^export/d' m.nn >text.nn
accept "$NNCC" check m.nn --edges
for way in '' --no-simplify; do
    is '{"ones": 0}' ones x='[1,2,3]' $way
    is '{"ones": 2}' ones x='[1,2,3,4,5,6,7]' $way
    is '{"terms": 0}' terms x='[1,2,3]' $way
    is '{"d_x": [0, 0, 0]}' d_terms x='[1,2,3]' $way
    is '{"d_x": [6, 0, 0, 0, 0, 1]}' d_terms x='[1,2,3,4,5,6]' $way
    is '{"most": "-inf"}' most x='[1,2,3]' $way
    is '{"counted": 0}' counted x=2 k=1 $way
    is '{"counted": 6}' counted x=2 k=5 $way
    is '{"never": 0}' never x=2 $way
    is '{"between": 0}' between x='[]' $way
    is '{"hess_x": []}' d2_between x='[]' $way
    is '{"rows": [1, 1]}' rows x='[3,4]' $way
    is '{"jac_x": [[0, 0], [0, 0]]}' d_rows x='[3,4]' $way
    is '{"square": [[0, 0], [0, 0]]}' square A='[[1,2],[3,4]]' $way
    is '{"square": [[0]], "A_bar": [[0]]}' back A='[[1]]' y_bar='[[1]]' $way
    is '{"meant": 0}' meant x='[1,2]' $way
    for f in made cut zero given branch d_made; do
        refuse 1 "m: $f: .*m.nn:[0-9]+: 'n - 5' is -1, not in 0 " \
            "$NNCC" run m.nn $f x='[1,2,3,4]' $way
        accept "$NNCC" run m.nn $f x='[1,2,3,4,5]' $way
    done
    refuse 1 "m: counts: .*m.nn:13: 'k - 3' is -1, not in 0 " "$NNCC" run m.nn counts k=2 $way
    is '{"counts": 3}' counts k=5 $way
done
# As the reference evaluator has it.
for f in ones terms rows; do
    accept "$NNCC" trace text.nn $f x='[1,2,3]'
done
for f in made cut zero given; do
    refuse 1 "$f: text.nn:[0-9]+: a size is negative: 'n - 5' is -2" "$NNCC" trace text.nn $f x='[1,2,3]'
done

# The steps of a layer are made once, and once back, whatever the next one asks
# it for: an index that is checked where there are steps, or for each of them.
cat >m.nn <<'N'
fn layer(x: real[t, n], h0: real[n], A: real[n, n]) -> real[t, n] =
  scan(i < t, h = h0 | tanh(x[i] * (1 + h) + h @ A));
fn started(E: real[k, n], p: int, x: real[t, n], A: real[n, n]) -> real =
  sum(layer(layer(x, E[p], A) @ A, zeros([n]), A) ^ 2);
fn taken(E: real[k, n], p: int[t], A: real[n, n]) -> real =
  sum(layer(layer([i < t | E[p[i]]], zeros([n]), A) @ A, zeros([n]), A) ^ 2);
N
for f in 'started, x' taken; do
    (cat m.nn && echo "export grad($f);") >f.nn
    accept "$NNCC" check f.nn
    accept "$NNCC" f.nn --dump=simplified
    [ "$(grep -c '= loop(' out.txt)" = 4 ] || fail "$f: loops made twice"
done
is '{"d_E": [[0, 0]]}' 'grad(taken, E)' E='[[1, 2]]' p='[]' A='[[1,2],[3,4]]'

# What decides whether something runs is read before a step changes it.
cat >m.nn <<'N'
fn once(v: real[n]) -> real = fold(t < n, r = 2.0, live = true, s = 0.0 | {
  let i = n - 1 - t;
  ((if i == 0 { r } else { 0.0 }), i == 0 && live,
    s + (if i != 0 { if live { r * v[i-1] } else { 0.0 } } else { 0.0 }))
}).2;
export grad(once) as d_once;
N
is '{"once": 3.5}' once v='[0.5,1.75,-1.5]'
is '{"d_v": [0, 2, 0]}' d_once v='[0.5,1.75,-1.5]'
accept "$NNCC" check m.nn
