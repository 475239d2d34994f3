# std-distributions.sh: log densities with values of scipy.stats, the means of samples.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use distributions as d;
fn line(x: real[n], a: real, b: real) =
  (d.normal_logpdf(x, a, b), d.laplace_logpdf(x, a, b), d.logistic_logpdf(x, a, b),
   d.gumbel_logpdf(x, a, b), d.cauchy_logpdf(x, a, b), d.student_t_logpdf(x, 3.5, a, b),
   d.uniform_logpdf(x, a, a + b));
fn half(x: real[n], a: real, b: real) =
  (d.lognormal_logpdf(x, a, b), d.exponential_logpdf(x, b), d.gamma_logpdf(x, a, b),
   d.inverse_gamma_logpdf(x, a, b), d.chi2_logpdf(x, a), d.weibull_logpdf(x, a, b),
   d.pareto_logpdf(x, a, b), d.halfnormal_logpdf(x, b), d.beta_logpdf(x, a, b));
fn circle(x: real[n], a: real, b: real[n]) -> real[n] = d.von_mises_logpdf(x, a, b);
fn counts(k: int[n], p: real, r: real) =
  (d.bernoulli_logpmf(k, p), d.binomial_logpmf(k, 5, p), d.poisson_logpmf(k, r),
   d.geometric_logpmf(k, p), d.negative_binomial_logpmf(k, r, p));
fn rows(x: real[3], a: real[3], S: real[3, 3]) -> (real, real, real[2]) =
  (d.dirichlet_logpdf(x, a), d.multivariate_normal_logpdf(x, a, S),
   d.categorical_logpmf([0, 2], [[1.0, 2, 3], [3.0, 1, 2]]));

fn t_line(x: real[n], a: real, c: real) -> real {
  let b = exp(c);
  sum(d.normal_logpdf(x, a, b) + d.laplace_logpdf(x, a, b) + d.logistic_logpdf(x, a, b)
        + d.gumbel_logpdf(x, a, b) + d.cauchy_logpdf(x, a, b) + d.student_t_logpdf(x, b, a, b)
        + d.von_mises_logpdf(x, a, b))
}
fn t_half(x: real[n], a: real, b: real) -> real {
  let y = exp(x);
  let p = exp(a);
  let q = exp(b);
  sum(d.gamma_logpdf(y, p, q) + d.inverse_gamma_logpdf(y, p, q) + d.weibull_logpdf(y, p, q)
        + d.beta_logpdf(sigmoid(x), p, q) + d.lognormal_logpdf(y, a, q) + d.chi2_logpdf(y, p)
        + d.pareto_logpdf(y + q, p, q) + d.halfnormal_logpdf(y, q) + d.exponential_logpdf(y, q))
}
fn t_counts(k: int[n], p: real, r: real) -> real {
  let q = sigmoid(p);
  let s = exp(r);
  sum(d.binomial_logpmf(k % 6, 5, q) + d.poisson_logpmf(k % 6, s) + d.geometric_logpmf(k % 6, q)
        + d.negative_binomial_logpmf(k % 6, s, q))
}
fn t_rows(x: real[2, 3], a: real[3], z: real[2, 3]) -> real =
  sum(d.dirichlet_logpdf(softmax(x), exp(a))) + sum(d.categorical_logpmf([0, 2], z))
    + d.multivariate_normal_logpdf(a, x[0], x' @ x + 3 * eye(3));
export grad(t_line), grad(t_half), grad(t_counts, p, r), grad(t_rows);

# Mean and variance of n samples.
fn two(x: real[n]) -> (real, real) = (mean(x), variance(x));
fn s_gamma(k: key, a: real, n: int) -> (real, real) = two(d.gamma(k, full([n], a)));
fn s_poisson(k: key, a: real, n: int) -> (real, real) = two(real(d.poisson(k, full([n], a))));
fn s_others(k: key, n: int) =
  (two(d.exponential(k, full([n], 2.0))), two(d.student_t(k, full([n], 9.0))),
   two(d.beta(k, full([n], 3.0), full([n], 2.0))), two(d.gumbel_like(k, zeros([n]))));
fn s_rows(k: key, n: int) -> (real[3], real[3]) =
  (mean(d.dirichlet(k, broadcast([1.0, 2, 3], [n, 3])), axis = 0),
   mean(onehot(d.categorical(k, log(broadcast([1.0, 2, 5], [n, 3]))), 3), axis = 0));
# Where uniform gives 0: nothing infinite, no class that cannot be.
fn s_zero(k: key) -> (real, bool, bool) =
  (min(uniform(k, [130000])), max(abs(d.gumbel_like(k, zeros([130000])))) < 20,
   all(d.categorical(k, broadcast([-inf, 0], [65000, 2])) == 1));
# In every place each number as often: how far from it, and the sum of one.
fn s_order(k: key, n: int) -> (real, int) {
  let keys = split(k, n);
  let p = [i < n | d.permutation(keys[i], 4)];
  (max(abs(mean(onehot(p, 4), axis = 0) - 0.25)), max(sum(p, axis = 1)) + min(sum(p, axis = 1)))
}
# E x = a, E x² = a + a² for a gamma variable, so the derivatives of the means are 1 and 1 + 2 a.
fn means(a: real, k: key, n: int) -> real = mean(d.gamma(k, full([n], a)));
fn squares(a: real, k: key, n: int) -> real = mean(d.gamma(k, full([n], a))^2);
# The same number u of the quantile: x moves so that P(a, x) stays.
fn level(a: real[n], k: key) -> real[n] = gammainc(a, d.gamma(k, a));
fn moves(a: real[n], k: key) -> real = max(abs(jvp(level, a)(a, k, ones_like(a)).1));
N
accept "$NNCC" check m.nn

near '{"line_0": [-3.333649829249542, -1.5602934278654588, -1.4651377185228984, -1.477248445166497, -1.949566784266843, -274.1294975801146], "line_1": [-3.1649519022103507, -1.6943636669162334, -1.4002460198574098, -1.4590695492691745, -2.2237754316221157, -24.576716608092706], "line_2": [-2.7400533802616502, -1.9717825018466995, -1.9246979979844387, -1.9307316318840742, -2.157151626098616, -23.883569427676967], "line_3": [-5.5563943345927145, -1.6609756589101368, -1.5471570008546411, -1.5562607316907275, -1.8985076922336126, -23.883569427604865], "line_4": [-3.237319900372742, -1.8753995057324353, -1.706024935304543, -1.7292432254065502, -2.3685053174715156, -7.978635982718196], "line_5": [-3.1642691688253546, -1.6581422495466374, -1.5400330750163955, -1.5554139942874987, -2.0855593059537108, -12.894032245549035], "line_6": ["-inf", "-inf", "-inf", -0.5306282510621704, -0.5306282510621704, "-inf"]}' line x='[-3, -0.5, 0, 0.7, 2, 40]' a='0.3' b='1.7'
near '{"half_0": ["-inf", "-inf", "-inf", -1.167497719566335, -2.1694552633704274, -7.125384638816], "half_1": ["-inf", "-inf", 0.5306282510621704, -0.6593717489378296, -2.8693717489378296, -67.46937174893783], "half_2": ["-inf", "-inf", "inf", -1.8769370587423118, -4.821812545891387, -71.51882513737918], "half_3": ["-inf", "-inf", "-inf", -2.901503520950501, -2.6877008542273533, -5.774652809847542], "half_4": ["-inf", "-inf", "inf", -1.9786121509509038, -3.52096095677478, -25.067333389295673], "half_5": ["-inf", "-inf", "inf", -1.879781602295426, -2.8983280970747867, -6.524566806644237], "half_6": ["-inf", "-inf", "-inf", "-inf", -1.945875663735214, -5.840327619355402], "half_7": ["-inf", "-inf", -0.7564196037068978, -0.8411946902120881, -1.4484611261982474, -277.57302860024674], "half_8": ["-inf", "-inf", "inf", -1.5930987996820525, "-inf", "-inf"]}' half x='[-3, -0.5, 0, 0.7, 2, 40]' a='0.3' b='1.7'
near '{"half_0": ["-inf", "-inf", "-inf", -1.4113290208663742, -2.1590043891863577, -6.389323871383558], "half_1": ["-inf", "-inf", 0.5306282510621704, -0.6593717489378296, -2.8693717489378296, -67.46937174893783], "half_2": ["-inf", "-inf", 0.5306282510621704, -0.6593717489378296, -2.8693717489378296, -67.46937174893783], "half_3": ["-inf", "-inf", "-inf", -1.1845932896317937, -1.7056661100577202, -6.889630657165703], "half_4": ["-inf", "-inf", "inf", -1.0906010612353063, -2.2655121234846454, -22.763378260261643], "half_5": ["-inf", "-inf", -0.5306282510621704, -0.9423929569445233, -1.7070988392974646, -24.060040015768056], "half_6": ["-inf", "-inf", "-inf", "-inf", -0.8556661100577203, -6.847130657165702], "half_7": ["-inf", "-inf", -0.7564196037068978, -0.8411946902120881, -1.4484611261982474, -277.57302860024674], "half_8": ["-inf", "-inf", 0.5306282510621702, -0.31215271196598493, "-inf", "-inf"]}' half x='[-3, -0.5, 0, 0.7, 2, 40]' a='1' b='1.7'
near '{"half_0": ["-inf", "-inf", "-inf", -2.504758922564678, -2.7075439148472857, -5.382985054369404], "half_1": ["-inf", "-inf", 0.5306282510621704, -0.6593717489378296, -2.8693717489378296, -67.46937174893783], "half_2": ["-inf", "-inf", "-inf", -0.6831246587255918, -1.3183914719775753, -61.42479306164659], "half_3": ["-inf", "-inf", "-inf", -0.13832136760335845, -2.2341273747773016, -11.91169033221627], "half_4": ["-inf", "-inf", "-inf", -1.2073308752628016, -1.5948753441381323, -19.845942275749636], "half_5": ["-inf", "-inf", "-inf", -1.0540907838280118, -0.8718079679770357, -2680.39253205117], "half_6": ["-inf", "-inf", "-inf", "-inf", -0.18315377243022768, -10.668216729869195], "half_7": ["-inf", "-inf", -0.7564196037068978, -0.8411946902120881, -1.4484611261982474, -277.57302860024674], "half_8": ["-inf", "-inf", "-inf", 0.48188708495848287, "-inf", "-inf"]}' half x='[-3, -0.5, 0, 0.7, 2, 40]' a='2.5' b='1.7'
near '{"circle": [-1.939123482634108, -0.8365109538118585, -336.720812948069]}' circle x='[-3, 0, 2]' a='0.3' b='[0.1, 1.7, 300]'
near '{"counts_0": ["-inf", -0.35667494393873245, -1.2039728043259361, "-inf", "-inf", "-inf", "-inf"], "counts_1": ["-inf", -1.7833747196936622, -1.0212346676467658, -1.1753853474740241, -6.01986402162968, "-inf", "-inf"], "counts_2": ["-inf", -2.5, -1.583709268125845, -1.3605657168116352, -2.7060380834112703, -3.5815068207651706, -76.16901043979118], "counts_3": ["-inf", -1.2039728043259361, -1.5606477482646686, -1.917322692203401, -2.987347524019598, -3.3440224679583306, -15.470970561875234], "counts_4": ["-inf", -3.00993201081484, -2.4503162228794175, -2.2473753788827273, -2.331117107004734, -2.4646484996292584, -11.982181883179914]}' counts k='[-1, 0, 1, 2, 5, 6, 40]' p='0.3' r='2.5'
near '{"rows_0": 1.5040773967762737, "rows_1": -6.326062018894422, "rows_2": [-2.4076059644443806, -1.4076059644443804]}' rows x='[0.2, 0.3, 0.5]' a='[1, 2, 3]' S='[[2, 0.3, 0.1], [0.3, 1, 0.2], [0.1, 0.2, 1.5]]'

# within WANT BOUND ARG…: the numbers of `run` are that near to what they estimate.
within() {
    want=$1 bound=$2
    shift 2
    accept "$NNCC" run --real=f64 m.nn "$@"
    { echo "$want" && cat out.txt; } | sed 's/"[a-z_0-9]*"://g; s/[][{}:,"]/ /g' | awk -v bound="$bound" '
        NR == 1 { n = split($0, want) }
        NR == 2 { if (NF != n) exit 1
                  for (i = 1; i <= n; i++) {
                      d = want[i] - $i
                      if (d * d > bound * bound * (1 + want[i] * want[i])) exit 1 } }' ||
        fail "$*: $(cat out.txt), not near $want"
}
for a in 0.3 1 5.5; do
    within "$a $a" 0.03 s_gamma k=1 a=$a n=100000
    within "1" 0.02 'grad(means, a)' k=1 a=$a n=100000
done
within "5" 0.05 'grad(squares, a)' k=1 a=2 n=100000
within "0" 1e-9 moves k=3 'a=[0.1, 0.7, 1, 3, 40]'
for a in 0.1 3 9.9 10 100 1e6; do
    within "$a $a" 0.03 s_poisson k=1 a=$a n=100000
done
within "0.5 0.25 0 1.2857 0.6 0.04 0.5772 1.6449" 0.03 s_others k=1 n=100000
within "0.1667 0.3333 0.5 0.125 0.25 0.625" 0.01 s_rows k=1 n=100000
within "0 12" 0.01 s_order k=1 n=20000
is '{"s_zero_0": 0, "s_zero_1": true, "s_zero_2": true}' s_zero k=7
near '{"s_gamma_0": "nan", "s_gamma_1": "nan"}' s_gamma k=1 a=-1 n=3
