# fit.sh: nncc fit finds what NIST certifies and what SciPy gives, with errors;
# minimisers; from C, in threads.
. "$ROOT/tests/e2e-lib.sh"

# agrees WITHIN "number …" KEY: the numbers of a list in out.txt, relatively.
agrees() {
    tr -d '\n' <out.txt | sed "s/.*\"$3\": \[*\([^]]*\)\].*/\1/; s/,//g" | awk -v within="$1" -v want="$2" '
        { n = split(want, w, " "); if (NF != n) exit 1
          for (i = 1; i <= n; i++) { d = $i - w[i]; d = d < 0 ? -d : d; s = w[i] < 0 ? -w[i] : w[i]
              if (!(d <= within * s)) exit 1 } }' || fail "$3: $(cat out.txt), expected $2"
}
# value KEY VALUE WITHIN
value() {
    got=$(sed "s/.*\"$1\": \([-0-9.e+]*\)[,}].*/\1/" out.txt)
    awk -v a="$got" -v b="$2" -v w="$3" 'BEGIN { d = a - b; exit !((d < 0 ? -d : d) <= w * (b < 0 ? -b : b)) }' ||
        fail "$1 is $got, not $2"
}
examples=$ROOT/examples

# NIST's certified values: parameters, their standard deviations, the residuals'
# sum of squares.
curve="$NNCC fit $examples/curve/curve.nn"
accept $curve misra1a b='{"b1": 500, "b2": 0.0001}' --data "$examples/curve/misra1a.csv" --json
agrees 1e-7 '2.7070075241E+00 7.2668688436E-06' standard_errors
value b1 2.3894212918E+02 1e-8
value b2 5.5015643181E-04 1e-8
value sum_of_squares 1.2455138894E-01 1e-10
accept $curve thurber p='[1000, 1000, 400, 40]' q='[0.7, 0.3, 0.03]' --data "$examples/curve/thurber.csv" --json
agrees 1e-7 '1.2881396800E+03 1.4910792535E+03 5.8323836877E+02 7.5416644291E+01' p
agrees 1e-7 '9.6629502864E-01 3.9797285797E-01 4.9727297349E-02' q
agrees 1e-6 '4.6647963344E+00 3.9571156086E+01 2.8698696102E+01 5.5675370270E+00 3.1333340687E-02
    1.4984928198E-02 6.5842344623E-03' standard_errors
value sum_of_squares 5.6427082397E+03 1e-10

cat >m.nn <<'N'
struct P { b1: real, b2: real, b3: real, b4: real }
struct Q { b1: real, b2: real, b3: real }
fn mgh09(b: P, x: real[n], y: real[n]) -> real[n] = y - b.b1 * (x^2 + x * b.b2) / (x^2 + x * b.b3 + b.b4);
fn mgh10(b: Q, x: real[n], y: real[n]) -> real[n] = y - b.b1 * exp(b.b2 / (x + b.b3));
fn decay(a: real, k: real, c: real = 0, x: real[n], y: real[n], s: real[n]) -> real[n] =
  (y - a * exp(-k * x) - c) / s;
fn line(w: real[k], X: real[n, k], y: real[n]) -> real[n] = X @ w - y;
fn twice(a: real, b: real, x: real[n], y: real[n]) -> real[n] = y - (a + b) * x;
fn rosenbrock(x: real[n]) -> real = sum(i < n - 1 | 100 * (x[i + 1] - x[i]^2)^2 + (1 - x[i])^2);
fn hill(x: real, y: real) -> real = log(x)^2 + (x - y)^2 + exp(-x * y);
fn saddle(x: real[2]) -> real = (x[0]^2 - 1)^2 / 4 + x[0] * x[1] + x[1]^2;
fn root(x: real) -> real[1] = [sqrt(x)];
fn nothing(x: real, k: int) -> real[k] = [i < k | x];
N
printf 'y,x\n.1957,4\n.1947,2\n.1735,1\n.16,.5\n.0844,.25\n.0627,.167\n.0456,.125\n.0342,.1\n.0323,.0833\n.0235,.0714\n.0246,.0625\n' >mgh09.csv
accept "$NNCC" fit m.nn mgh09 b='{"b1": 25, "b2": 39, "b3": 41.5, "b4": 39}' --data mgh09.csv --json
value sum_of_squares 3.0750560385E-04 1e-10
value b1 1.9280693458E-01 1e-6
agrees 1e-5 '1.1435312227E-02 1.9633220911E-01 8.0842031232E-02 9.0025542308E-02' standard_errors
{
    echo y,x
    i=50
    for y in 34780 28610 23650 19630 16370 13720 11540 9744 8261 7030 6005 5147 4427 3820 3307 2872; do
        echo "$y,$i"
        i=$((i + 5))
    done
} >mgh10.csv
accept "$NNCC" fit m.nn mgh10 b='{"b1": 0.02, "b2": 4000, "b3": 250}' --data mgh10.csv --json
value sum_of_squares 8.7945855171E+01 1e-9
value b2 6.1813463463E+03 1e-7
agrees 1e-6 '1.5687892471E-04 2.3309021107E+01 7.8486103508E-01' standard_errors

# scipy.optimize.curve_fit (1.17.1) with sigma, absolute_sigma and without.
printf 'x,y,s\n0,5.10,.2\n0.5,3.95,.2\n1,2.90,.15\n1.5,2.41,.15\n2,1.88,.1\n3,1.20,.1\n4,.86,.05\n6,.58,.05\n' >decay.csv
accept "$NNCC" fit m.nn decay a=1 k=1 c=0 --data decay.csv --json
value a 4.6581979137067115 1e-8
value k 0.6001387990307772 1e-8
value c 0.44668949931677643 1e-8
agrees 1e-6 '0.0668870819215377 0.017873871045297647 0.02924788227408037' standard_errors
tr -d '[]' <out.txt >flat.txt
grep -q '"covariance": 0.0044738[0-9]*, 0.00039587[0-9]*, -8.9175[0-9]*e-05, 0.00039587' flat.txt || fail "$(cat out.txt)"
accept "$NNCC" fit m.nn decay a=1 k=1 c=0 --data decay.csv --json --absolute
agrees 1e-6 '0.1555084670547908 0.04155568170621949 0.0679995778912381' standard_errors
# Held: the default of c, or what is said; columns by number.
accept "$NNCC" fit m.nn decay a=1 k=1 --data decay.csv --json
agrees 1e-6 '0.28662786 0.028964459' standard_errors
accept "$NNCC" fit m.nn decay a=1 k=1 --set c=0.44668949931677643 --data decay.csv --columns x=0 --columns s=2
grep -q '^a  *4.658197914 ' out.txt || fail "$(cat out.txt)"

# Begun where the type's initialisers say.
cat >begin.nn <<'N'
struct P { a: real = 1, k: real = 1 }
fn decay(p: P, x: real[n], y: real[n], s: real[n]) -> real[n] = (y - p.a * exp(-p.k * x)) / s;
fn bowl(p: P) -> real = (p.a - 3)^2 + (p.k + 1)^2;
N
accept "$NNCC" fit begin.nn decay p --data decay.csv --json
agrees 1e-6 '0.28662786 0.028964459' standard_errors
for method in lbfgs newton; do
    accept "$NNCC" fit begin.nn bowl p --method $method --json
    value a 3 1e-7
done
refuse 2 "where does 'a' begin" "$NNCC" fit m.nn decay a --data decay.csv

# A linear one, of a matrix of columns, is exact at once; f32 too.
printf '1,1,5\n1,2,7\n1,3,9.5\n1,4,10.5\n' >line.csv
accept "$NNCC" fit m.nn line w='[0, 0]' --data line.csv --columns X=0:2 --columns y=2 --json
agrees 1e-9 '3.25 1.9' w
agrees 1e-6 '0.58094750193 0.21213203436' standard_errors
accept "$NNCC" fit m.nn line w='[0, 0]' --data line.csv --columns X=0:2 --columns y=2 --json --real=f32
agrees 1e-4 '3.25 1.9' w

# What the data cannot tell is said; exit statuses of what goes wrong.
accept "$NNCC" fit m.nn twice a=1 b=1 --data decay.csv --json
grep -q "does not determine 'b'" err.txt && grep -q '"standard_errors": \[null, null\]' out.txt || fail "$(cat err.txt)"
refuse 1 'not converged after 2 iterations' "$NNCC" fit m.nn decay a=1 k=1 c=0 --data decay.csv --iterations 2
refuse 1 'residual at the start is infinite or not a number' "$NNCC" fit m.nn root x=-1
refuse 1 'derivative of residual 0 is infinite' "$NNCC" fit m.nn root x=0
refuse 1 "decay needs x" "$NNCC" fit m.nn decay a=1 k=1
refuse 1 "has no column 'z'" "$NNCC" fit m.nn decay a=1 k=1 --data decay.csv --columns x=z
refuse 1 "has no parameter 'q'.*; it has a, k, c, x, y, s" "$NNCC" fit m.nn decay q=1 --data decay.csv
refuse 1 'none.csv' "$NNCC" fit m.nn decay a=1 k=1 --data none.csv
refuse 2 'what is to be fitted' "$NNCC" fit m.nn decay --data decay.csv
refuse 2 'which function' "$NNCC" fit m.nn
refuse 2 "method' is lbfgs or newton" "$NNCC" fit m.nn hill x=1 y=1 --method adam
refuse 2 'gives residuals' "$NNCC" fit m.nn decay a=1 k=1 --method newton
refuse 2 'tolerance' "$NNCC" fit m.nn hill x=1 y=1 --tolerance 7

# One number made least: two ways, one place. log(x) is no number left of 0.
for method in lbfgs newton; do
    accept "$NNCC" fit m.nn hill x=5 y=-3 --method $method --json
    value value 0.24052481838 1e-9
    value x 1.3195879 1e-6
    accept "$NNCC" fit m.nn rosenbrock x='[0.5, 1, 1, 1, 1, 2, 1]' --method $method --json
    agrees 1e-6 '1 1 1 1 1 1 1' x
    accept "$NNCC" fit m.nn rosenbrock x='[0.5, 1, 1]' --method $method --json --real=f32
    agrees 0.01 '1 1 1' x
done
# Away from a saddle: curvature is negative there.
accept "$NNCC" fit m.nn saddle x='[0.001, 0]' --method newton --json
value value -0.3125 1e-9

# A system's parameters from what it did.
accept "$NNCC" fit "$examples/estimation/system.nn" residuals s='{"m": 1, "c": 0.1, "k": 1, "hard": 1}' \
    --data "$examples/estimation/measured.csv" --json
agrees 1e-5 '0.00067332182 0.00069549862 0.0080340044 0.013255675' standard_errors
value m 0.5 0.002

# From C: objects in threads of their own, the same bits; errors; the callback.
cat >lib.nn <<'N'
fn decay(a: real, k: real, x: real[n], y: real[n]) -> real[n] = y - a * exp(-k * x);
fn cost(a: real, k: real, x: real[n], y: real[n]) -> real = sum(decay(a, k, x, y)^2);
export decay, jacobian(decay, a, k) as J, value_and_grad(cost, a, k) as vg, hvp(cost, a, k) as h, cost;
N
cat >lib.c <<'C'
#include <nn.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static double x[] = {0, 0.5, 1, 1.5, 2, 3}, y[] = {5.1, 3.95, 2.9, 2.41, 1.88, 1.2};

typedef struct Found {
    double a[3], k[3], covariance[4];
    int bad;
} Found;

static int stop(void *context, const nncc_solve_result *now)
{
    (void)context;
    return now->iterations >= 2;
}

static int solve(nncc_model *m, Found *f)
{
    const nn_function *r, *j, *vg, *h, *cost;
    nncc_solve_options o = NNCC_SOLVE_DEFAULTS;
    nncc_solve_result end;
    nncc_covariance c;
    nncc_tensor tx = {NN_F64, 1, {6}, x}, ty = {NN_F64, 1, {6}, y};
    if (nncc_find(m, "decay", &r) || nncc_find(m, "J", &j) || nncc_find(m, "vg", &vg) ||
        nncc_find(m, "h", &h) || nncc_find(m, "cost", &cost))
        return 1;
    for (int i = 0; i < 3; i++) {
        nncc_tensor a = {NN_F64, 0, {0}, &f->a[i]}, k = {NN_F64, 0, {0}, &f->k[i]};
        nncc_tensor *leaf[] = {&a, &k, &tx, &ty};
        f->a[i] = f->k[i] = 1;
        int status = i == 0 ? nncc_least_squares(m, r, j, leaf, NULL, 0, NULL, &end, &c)
                            : nncc_minimise(m, vg, i == 1 ? NULL : h, leaf, NULL, NULL, &end);
        if (status || end.end == NNCC_SOLVE_ITERATIONS || end.unknowns != 2)
            return 2;
        if (i == 0) {
            memcpy(f->covariance, c.matrix, sizeof f->covariance);
            free(c.matrix);
            if (c.residuals != 6 || c.undetermined != -1)
                return 3;
        }
    }
    /* Stopped by the callback; what does not belong together. */
    double one = 1, two = 1;
    nncc_tensor a = {NN_F64, 0, {0}, &one}, k = {NN_F64, 0, {0}, &two};
    nncc_tensor *leaf[] = {&a, &k, &tx, &ty};
    o.progress = stop;
    for (int i = 0; i < 3; i++) {
        one = two = 1;
        int status = i == 0 ? nncc_least_squares(m, r, j, leaf, NULL, 0, &o, &end, NULL)
                            : nncc_minimise(m, vg, i == 1 ? NULL : h, leaf, NULL, &o, &end);
        if (status || end.end != NNCC_SOLVE_STOPPED || end.iterations != 2)
            return 4;
    }
    o.tolerance = -1;
    if (nncc_minimise(m, cost, NULL, leaf, NULL, NULL, NULL) != NN_ERR_ARGUMENT ||
        nncc_minimise(m, vg, j, leaf, NULL, NULL, NULL) != NN_ERR_ARGUMENT ||
        nncc_minimise(m, vg, NULL, leaf, NULL, &o, NULL) != NN_ERR_ARGUMENT ||
        nncc_least_squares(m, r, vg, leaf, NULL, 0, NULL, NULL, NULL) != NN_ERR_ARGUMENT ||
        nncc_least_squares(m, r, NULL, leaf, NULL, 0, NULL, NULL, NULL) != NN_ERR_ARGUMENT)
        return 5;
    tx.size[0] = 5;
    return nncc_minimise(m, vg, NULL, leaf, NULL, NULL, NULL) != NN_ERR_SHAPE ? 6 : 0;
}

static void *work(void *to)
{
    Found *f = to;
    nncc_model *m;
    f->bad = nncc_open("./lib.so", &m) ? 9 : solve(m, f);
    if (f->bad != 9)
        nncc_close(m);
    return NULL;
}

int main(void)
{
    static Found found[4];
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
        if (pthread_create(&thread[i], NULL, work, &found[i]))
            return 20;
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    for (int i = 0; i < 4; i++)
        if (found[i].bad || memcmp(&found[i], &found[0], sizeof found[0]) != 0)
            return found[i].bad ? found[i].bad : 21;
    for (int i = 1; i < 3; i++)
        if (fabs(found[0].a[i] - found[0].a[0]) > 1e-6 || fabs(found[0].k[i] - found[0].k[0]) > 1e-6)
            return 22;
    return 0;
}
C
accept "$NNCC" lib.nn --real=f64 -o lib.so
$CC lib.c $libnn -o lib && ./lib >lib.txt ||
    fail "libnn: status $?"
[ ! -s lib.txt ] || fail "libnn prints"
