# special.sh: special functions and their derivatives up to the third, far out too:
# against values of forty digits; powers with ints that only the run tells.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use nn;
fn first(f: fn(real) -> real, x: real) -> real = grad(f)(x);
fn second(f: fn(real) -> real, x: real) -> real = grad(fn(y: real) = first(f, y))(x);
fn third(f: fn(real) -> real, x: real) -> real = grad(fn(y: real) = second(f, y))(x);
fn normal(x: real) -> (real, real, real, real) = {
  fn f(y: real) -> real = log_ndtr(y);
  (f(x), first(f, x), second(f, x), third(f, x))
};
fn written(x: real) -> (real, real, real) =
  (log(erfc(-x / sqrt(2.0)) / 2), log((1 + erf(x / sqrt(2.0))) / 2), log(ndtr(x)));
fn scaled(x: real) -> (real, real, real) = {
  fn f(y: real) -> real = erfcx(y);
  (f(x), first(f, x), third(f, x))
};
fn gelus(x: real) -> (real, real, real) = {
  fn f(y: real) -> real = gelu(y);
  (f(x), first(f, x), second(f, x))
};
fn tanhs(x: real) -> (real, real) = {
  fn f(y: real) -> real = gelu_tanh(y);
  (f(x), first(f, x))
};
# Times what makes them numbers that can be compared.
fn relative(x: real) -> (real, real, real) = {
  let (g, d, e) = gelus(x);
  (g * 1e37, d * 1e36, e * 1e35)
};
fn t_lbeta(a: real, b: real) -> real = lbeta(a, b);
fn sums(a: real, b: real) -> real = logaddexp(a, b);
fn sums_to(x: real[n, m], y: real[m]) -> real[n, m] = logaddexp(x, y) - log(exp(x) + exp(y));
fn with_zero(x: real[n]) -> real[n] = logaddexp(x, 0) - softplus(x);
fn logs(a: real, b: real) -> (real, real) = (xlogy(a, b), xlog1py(a, b - 1));
fn entropy(p: real[n]) -> real = -sum(xlogy(p, p));
fn whole(x: real, k: int) -> real = x^k;
fn wholes(x: real[n], k: int[n]) -> real[n] = pow(x, k);
fn far(x: real, k: i64) -> real = x^k;
fn of_ints(a: int, k: int) -> (int, int) = (a^k, 2^k);
fn by_size(x: real[n]) -> real = sum(x^n);
export grad(sums, a, b) as d_sums, hessian(sums, a) as bent, grad(logs_of, a, b) as d_logs;
fn logs_of(a: real, b: real) -> real = xlogy(a, b) + xlog1py(a, b - 1);
export grad(t_lbeta, a, b) as d_lbeta, grad(entropy) as d_entropy, hessian(sums_of) as bent_of;
fn sums_of(x: real[n]) -> real = sum(logaddexp(x, 2 * x) * xlogy(x, x + 1) * lbeta(x + 1, x * x + 1));
export grad(sums_of) as d_sums_of, grad(whole, x) as d_whole, hessian(whole, x) as bent_whole;
export grad(by_size) as d_by_size;
N
accept "$NNCC" check m.nn

near '{"normal_0": -804.60844201375379, "normal_1": 40.024968847207264, "normal_2": -0.99937733162140861, "normal_3": 3.1017440396486248e-5}' normal x=-40
near '{"normal_0": -15.064998393988726, "normal_1": 5.1865039671258421, "normal_2": -0.96730356538288777, "normal_3": 0.0108257645063567}' normal x=-5
near '{"normal_0": -1.8410216450092635, "normal_1": 1.5251352761609812, "normal_2": -0.80090233442965121, "normal_3": 0.11693119540604883}' normal x=-1
near '{"normal_0": -0.36894641528865639, "normal_1": 0.50916043383703349, "normal_2": -0.5138245643036329, "normal_3": 0.27099012446870783}' normal x=0.5
near '{"written_0": -804.60844201375379, "written_1": -804.60844201375379, "written_2": -804.60844201375379}' written x=-40
near '{"scaled_0": 16205.988853999587, "scaled_1": -97237.061503164615, "scaled_2": -4083954.3263745797}' scaled x=-3
near '{"scaled_0": 0.61569034419292587, "scaled_1": -0.5126888228025867, "scaled_2": -1.3320634261270817}' scaled x=0.5
near '{"scaled_0": 0.018795888861416751, "scaled_1": -0.00062583541050748407, "scaled_2": -4.1560989624037205e-6}' scaled x=30
near '{"relative_0": -0.795231371941, "relative_1": -1.03373044401, "relative_2": -1.33580423542}' relative x=-13
near '{"gelus_0": -0.15865525393145705, "gelus_1": -0.0833154705876, "gelus_2": 0.241970724519}' gelus x=-1
near '{"tanhs_0": 1.95459769409, "tanhs_1": 1.08609925662}' tanhs x=2
near '{"t_lbeta": 1.1447298858494002}' t_lbeta a=0.5 b=0.5
near '{"t_lbeta": -68.384405609561425}' t_lbeta a=3 b=1e10
near '{"t_lbeta": -190958.88527911685}' t_lbeta a=1e5 b=2e5
near '{"t_lbeta": 23.025850929757123}' t_lbeta a=4 b=1e-10

# Tails keep their digits in f32 too.
accept "$NNCC" run m.nn gelus x=-6
awk '{ gsub(/[{}:,"]/, " "); g = $2 / -5.91952587023e-9 - 1; d = $4 / -3.54687094539e-8 - 1
       exit !(g * g < 1e-12 && d * d < 1e-12) }' out.txt || fail "$(cat out.txt)"

is '{"sums": "-inf"}' sums a=-inf b=-inf
is '{"d_a": 0, "d_b": 0}' d_sums a=-inf b=-inf
is '{"d_a": 0, "d_b": 1}' d_sums a=-inf b=3
is '{"d_a": 0.5, "d_b": 0.5}' d_sums a=2 b=2
is '{"hess_a": 0.25}' bent a=2 b=2
near '{"sums": 1000.6931471805599}' sums a=1000 b=1000
near '{"sums_to": [[0, 0], [0, 0]]}' sums_to x='[[1, 2], [-3, 4]]' y='[0, 2]'
near '{"with_zero": [0, 0]}' with_zero x='[-700, 3]'
is '{"logs_0": 0, "logs_1": 0}' logs a=0 b=0
is '{"logs_0": 0, "logs_1": 0}' logs a=0 b=-1
is '{"logs_0": "nan", "logs_1": "nan"}' logs a=0 b=nan
is '{"d_a": 0, "d_b": 0}' d_logs a=0 b=0
near '{"d_a": 1.3862943611198906, "d_b": 0}' d_logs a=0 b=2
near '{"d_p": [0, -0.3068528194400547]}' d_entropy p='[0, 0.5]'
near '{"d_a": -1, "d_b": -1}' d_lbeta a=1 b=1

is '{"whole": -8}' whole x=-2 k=3
is '{"whole": -0.125}' whole x=-2 k=-3
is '{"whole": 1}' whole x=0 k=0
is '{"whole": -1}' whole x=-1 k=16777217
is '{"d_x": 12}' d_whole x=-2 k=3
is '{"d_x": 1}' d_whole x=0 k=1
is '{"d_x": 0}' d_whole x=0 k=0
is '{"d_x": 0}' d_whole x=0 k=2
is '{"hess_x": 2}' bent_whole x=0 k=2
is '{"wholes": [9, -0.5, 1]}' wholes x='[-3, -2, 7]' k='[2, -1, 0]'
is '{"far": 1}' far x=1 k=4611686018427387904
is '{"of_ints_0": -243, "of_ints_1": 32}' of_ints a=-3 k=5
is '{"of_ints_0": 0, "of_ints_1": 0}' of_ints a=-3 k=-1
is '{"d_x": [4, 6]}' d_by_size x='[2, 3]'
