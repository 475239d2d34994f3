# special-std.sh: the special functions of the prelude and their derivatives: against
# values of forty digits, at the ends, far out, in f32, where a fraction ends.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
fn t_i0e(x: real) -> real = i0e(x);
fn t_i1e(x: real) -> real = i1e(x);
fn bessel(x: real) -> (real, real, real, real) =
  (i0e(x), i1e(x), grad(t_i0e)(x), grad(t_i1e)(x));
export hessian(t_i0e) as d2_i0e, hessian(t_i1e) as d2_i1e;
fn plain(x: real[n]) -> real[n] = i0(x)^2 - i1(x)^2;
fn t_p(a: real, x: real) -> real = gammainc(a, x);
fn t_q(a: real, x: real) -> real = gammaincc(a, x);
fn gammas(a: real, x: real) -> (real, real) = (gammainc(a, x), gammaincc(a, x));
fn t_i(a: real, b: real, x: real) -> real = betainc(a, b, x);
export grad(t_p, a, x) as d_p, grad(t_q, a, x) as d_q, grad(t_i, a, b, x) as d_beta;
export hessian(t_p, x) as d2_p;
fn table(a: real[n], x: real[n]) -> real[n, n] = gammainc(transpose([i < 1, j < n | a[j]]), x);
fn sums(a: real, b: real[n], x: real[n]) -> real = sum(betainc(a, b, x) * gammainc(b, a * x));
export grad(sums, a, b, x) as d_sums, hessian(sums, a) as bent;
N
accept "$NNCC" check m.nn

near '{"bessel_0": 1, "bessel_1": 0, "bessel_2": 0, "bessel_3": 0.5}' bessel x=0
near '{"bessel_0": 0.27004644161220274, "bessel_1": 0.20658464953126655, "bessel_2": -0.063461792080936185, "bessel_3": -0.019172067731570436}' bessel x=2.5
near '{"bessel_0": 0.089780311884826022, "bessel_1": 0.087506222183288665, "bessel_2": -0.0022740897015373562, "bessel_3": -0.002101221407627077}' bessel x=20
near '{"bessel_0": 0.08955376362061344, "bessel_1": 0.0872968518432016, "bessel_2": -0.0022569117774118523, "bessel_3": -0.0020862151799613614}' bessel x=20.1
near '{"bessel_0": 0.15373774467288125, "bessel_1": -0.14228923470959867, "bessel_2": 0.011448509963282574, "bessel_3": -0.0088785235666600941}' bessel x=-7
near '{"bessel_0": 3.9894233026924578e-4, "bessel_1": 3.989421307980308e-4, "bessel_2": -1.9947121500246404e-10, "bessel_3": -1.9947091579556674e-10}' bessel x=1e6
is '{"bessel_0": 0, "bessel_1": 0, "bessel_2": 0, "bessel_3": 0}' bessel x=inf
near '{"hess_x": 0.5}' d2_i0e x=0
near '{"hess_x": 0.044289724349365749}' d2_i0e x=2.5
near '{"hess_x": -0.0035673533317349258}' d2_i1e x=2.5
near '{"plain": [1, 1.2835179939823748]}' plain x='[0, -1]'

near '{"gammas_0": 0.56142197391900014, "gammas_1": 0.43857802608099986}' gammas a=0.5 x=0.3
near '{"gammas_0": 0.45618688411667048, "gammas_1": 0.54381311588332952}' gammas a=3 x=2.5
near '{"gammas_0": 1.4815276326460468e-6, "gammas_1": 0.99999851847236735}' gammas a=100 x=60
near '{"gammas_0": 0.99983894282528744, "gammas_1": 1.6105717471255586e-4}' gammas a=100 x=140
near '{"gammas_0": 0.99995102308216902, "gammas_1": 4.8976917830981479e-5}' gammas a=0.001 x=2
near '{"gammas_0": 0.158651192193, "gammas_1": 0.841348807806}' gammas a=10000 x=9900
near '{"gammas_0": 0.841348750447, "gammas_1": 0.158651249553}' gammas a=10000 x=10100
is '{"gammas_0": 0, "gammas_1": 1}' gammas a=2 x=0
is '{"gammas_0": 1, "gammas_1": 0}' gammas a=2 x=inf
is '{"gammas_0": 1, "gammas_1": 0}' gammas a=0 x=1
is '{"gammas_0": "nan", "gammas_1": "nan"}' gammas a=0 x=0
is '{"gammas_0": "nan", "gammas_1": "nan"}' gammas a=-1 x=1
is '{"gammas_0": "nan", "gammas_1": "nan"}' gammas a=1 x=-1
is '{"gammas_0": "nan", "gammas_1": "nan"}' gammas a=1 x=nan
near '{"d_a": -0.77057035137535191, "d_x": 0.76309057876818594}' d_p a=0.5 x=0.3
near '{"d_a": 0.24711735748326824, "d_x": -0.25651562069968373}' d_q a=3 x=2.5
near '{"d_a": 0.034996415852200247, "d_x": -0.022341108156085647}' d_q a=3 x=7
near '{"d_a": 5.8503658598122615e-5, "d_x": -4.9595744154357636e-5}' d_q a=100 x=140
near '{"d_a": -7.841202331593656e-7, "d_x": 1.0216478351295635e-6}' d_p a=100 x=60
near '{"d_a": -0.21938393439552028, "d_x": 0}' d_p a=0 x=1
is '{"d_a": 0, "d_x": 1}' d_p a=1 x=0
is '{"d_a": 0, "d_x": 0}' d_p a=2 x=0
is '{"d_a": 0, "d_x": "inf"}' d_p a=0.5 x=0
is '{"d_a": 0, "d_x": 0}' d_p a=2 x=inf
is '{"d_a": "nan", "d_x": "nan"}' d_p a=-1 x=2
near '{"hess_x": 1}' d2_p a=2 x=0
near '{"table": [[0, 0.63212055882855768], [0, 0.26424111765711536]]}' table a='[1, 2]' x='[0, 1]'

near '{"t_i": 0.5248}' t_i a=2 b=3 x=0.4
near '{"t_i": 0.79516723530086655}' t_i a=0.5 b=0.5 x=0.9
near '{"t_i": 0.0035661350059569731}' t_i a=50 b=70 x=0.3
near '{"t_i": 0.99781803807703533}' t_i a=0.01 b=5 x=0.2
near '{"t_i": 0.921352991118}' t_i a=1e4 b=1e4 x=0.505
is '{"t_i": 0}' t_i a=2 b=3 x=0
is '{"t_i": 1}' t_i a=2 b=3 x=1
is '{"t_i": "nan"}' t_i a=2 b=3 x=1.5
is '{"t_i": "nan"}' t_i a=0 b=3 x=0.5
near '{"d_a": -0.24086937608755658, "d_b": 0.15634433641359877, "d_x": 1.728}' d_beta a=2 b=3 x=0.4
near '{"d_a": -0.27681552435835124, "d_b": 0.59262002214337938, "d_x": 1.0610329539459689}' d_beta a=0.5 b=0.5 x=0.9
near '{"d_a": -0.010132808334667336, "d_b": 0.11439020939286763, "d_x": 4.358434109282803}' d_beta a=20 b=3 x=0.95
near '{"d_a": -0.2200143121827755, "d_b": 8.0879152655628325e-4, "d_x": 0.020575827484280543}' d_beta a=0.01 b=5 x=0.2
near '{"d_a": 0, "d_b": 0, "d_x": 3}' d_beta a=1 b=3 x=0
is '{"d_a": "nan", "d_b": "nan", "d_x": "nan"}' d_beta a=1 b=3 x=2

# The first number has its digits, also where it is tiny: WANTED, to a relative TOLERANCE.
digits() { # digits TOLERANCE WANTED FUNCTION NAME=VALUE…
    tolerance=$1
    want=$2
    shift 2
    accept "$NNCC" run m.nn "$@"
    awk -v want="$want" -v tolerance="$tolerance" '{ gsub(/[{}:,"]/, " "); e = $2 / want - 1
        exit !(e <= tolerance && -e <= tolerance) }' out.txt ||
        fail "$* is $(cat out.txt), not $want"
}
digits 1.5e-7 0.56142197391900014 gammas a=0.5 x=0.3
digits 1.5e-7 0.37232105526300531 t_q a=1000 x=1010
digits 1.5e-7 1.0299322105536353e-18 t_q a=26 x=98.4375
digits 1.5e-7 6.1503217607128428e-29 gammas a=57 x=8.125
digits 1.5e-7 3.6334322630746458e-5 t_i a=75 b=40 x=0.46875
digits 1.5e-7 0.011192003586676963 t_i a=4.5 b=0.0625 x=0.75
digits 1e-12 0.37232105526300531 t_q a=1000 x=1010 --real=f64
digits 1.5e-7 0.5248 t_i a=2 b=3 x=0.4
digits 1e-6 0.27004644161220274 bessel x=2.5
digits 1e-6 3.989421307980308e-4 t_i1e x=1e6
digits 1e-12 1.4815276326460468e-6 gammas a=100 x=60 --real=f64
digits 1e-12 3.7336800259124904e-93 gammas a=30 x=0.01 --real=f64
digits 1e-12 -7.841202331593656e-7 d_p a=100 x=60 --real=f64
digits 1e-12 -2.995513585856242e-92 d_p a=30 x=0.01 --real=f64
digits 1e-12 4.8976917830981479e-5 t_q a=0.001 x=2 --real=f64
digits 1e-12 3.989421307980308e-4 t_i1e x=1e6 --real=f64

# Whole numbers are reals where they are asked for, f64 stays f64, ints are refused.
cat >types.nn <<'N'
use solvers;
fn erlang(x: real) -> real = gammainc(2, x);
fn precise(x: f64) -> f64 = gammainc(2, x);
fn order(x: real[n]) -> real[n] = betainc(2, 3, x);
fn decay(x: real) -> real = rk4(fn(y) = -x * y, 1, 0.1);
fn turn(x: real) -> real = rk4(fn(y) = (y.1, -x * y.0), (1, 0), 0.1).0;
fn widened[T: real](x: T, w: f64) -> T = T(w * f64(x));
fn halved(x: real[n]) -> real[n] = widened(x, 0.5);
fn doubled(x: f64) -> f64 = widened(x, 2);
export grad(erlang) as d_erlang;
N
accept "$NNCC" run types.nn erlang x=1
grep -q '0.2642411' out.txt || fail "$(cat out.txt)"
accept "$NNCC" run types.nn precise x=1
grep -q '0.26424111765711' out.txt || fail "$(cat out.txt)"
accept "$NNCC" run types.nn order 'x=[0.4]'
grep -q '0.5248' out.txt || fail "$(cat out.txt)"
accept "$NNCC" run types.nn decay x=1
grep -q '0.904837' out.txt || fail "$(cat out.txt)"
accept "$NNCC" run types.nn turn x=1
grep -q '0.995004' out.txt || fail "$(cat out.txt)"
accept "$NNCC" run types.nn halved 'x=[3]'
grep -q '\[1.5\]' out.txt || fail "$(cat out.txt)"
accept "$NNCC" run types.nn doubled x=3
grep -q '6' out.txt || fail "$(cat out.txt)"

# A derivative by a and b stores no step.
cat >room.nn <<'N'
fn beta(a: real[100], b: real[100], x: real[100]) -> real = sum(betainc(a, b, x));
fn gamma(a: real[100], x: real[100]) -> real = sum(gammainc(a, x));
export grad(beta) as d_beta, grad(gamma) as d_gamma;
N
accept "$NNCC" room.nn -o room.h
for f in BETA GAMMA; do
    bytes=$(sed -n "s/.*ROOM_D_${f}_WORKSPACE //p" room.h)
    [ "$bytes" -lt 65536 ] || fail "the derivative of $f needs $bytes bytes for 100 elements"
done
