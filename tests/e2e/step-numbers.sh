# step-numbers.sh: a step whose loss or gradient is not finite says so and leaves
# everything that it updates as it was. An empty batch is a step like others.
. "$ROOT/tests/e2e-lib.sh"

cat >driver.c <<'C'
#include "m.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static m_Net net, net0;
static STATS_TYPE stats, stats0;
static m_train_state state, state0;
static float x[6] = {1, 2, 3, 4, 5, 6}, y[2] = {1, 0};
NN_ALIGN(64) static unsigned char work[65536];

static nn_error error;

static int step(int64_t b)
{
    float loss;
    nn_exec exec = {sizeof exec, 0, NULL, NULL, &error};

    net0 = net;
    stats0 = stats;
    state0 = state;
    if (m_step_workspace(b) > sizeof work)
        exit(3);
    return m_step(&net, STATS &state, x, y, b, SETTINGS &loss, work, &exec);
}

static int moved(void)
{
    return memcmp(&net, &net0, sizeof net) != 0 ||
           memcmp(&stats, &stats0, sizeof stats) != 0 ||
           memcmp(&state, &state0, sizeof state) != 0;
}

/* gradient: of w, and not the loss, is what is no number. */
static void stops(const char *why, int64_t b, int gradient)
{
    error.size = sizeof error;
    error.index = -1;
    int status = step(b);

    if (status != NN_ERR_NUMBER || moved() || error.index != gradient) {
        printf("%s: status %d, moved %d, index %d\n", why, status, moved(), (int)error.index);
        exit(1);
    }
}

int main(void)
{
    float old = x[3];

    memset(&net, 0, sizeof net);
    memset(&stats, 0, sizeof stats);
    memset(&state, 0, sizeof state);
    if (m_init(1, &net, STATS &state, work, NULL))
        return 2;
    if (step(0) != NN_OK)
        return 5;
    for (int i = 0; i < 5; i++) {
        if (step(2) != NN_OK || !moved())
            return 4;
        x[3] = NAN;
        stops("NaN", 2, 0);
        x[3] = -INFINITY;
        stops("infinite", 2, 0);
        x[3] = 1e30f; /* its square is infinite */
        stops("overflow", 2, 0);
        x[3] = old;
        y[1] = NAN;
        stops("NaN in a label", 2, 0);
        y[1] = 0;
    }
    /* The gradient becomes too large before the loss does. */
    for (x[0] = x[1] = x[2] = 1e18f; step(2) == NN_OK; x[0] = x[1] = x[2]) {
        net = net0;
        stats = stats0;
        state = state0;
        x[2] *= 1.02f;
    }
    stops("steep", 2, 1);
    return 0;
}
C
# try STATS? SETTINGS: compile and run.
try() {
    accept "$NNCC" m.nn -o m.o
    stats=
    [ -z "$1" ] || stats='&stats,'
    accept $CC -std=c99 -DSTATS="$stats" \
        -DSTATS_TYPE="${1:-char}" -DSETTINGS="$2" driver.c m.o -o driver -lm
    ./driver || fail "$(cat m.nn)"
}
cat >m.nn <<'N'
use optim;
struct Net { w: real[3] = 0.5, b: real = 0 }
fn loss(net: Net, x: real[b, 3], y: real[b]) -> real =
  mean((x @ net.w + net.b - y) ^ 2);
train loss(net) { optimizer = sgd(lr = 1e-3); }
N
try '' 'M_STEP_LR, M_STEP_WEIGHT_DECAY,'
sed -i 's/sgd(lr = 1e-3)/adam(lr = 1e-3)/' m.nn
try '' 'M_STEP_LR, M_STEP_BETA1, M_STEP_BETA2, M_STEP_EPS,'
sed -i 's/eps = 1e-8; //; s/; }/; accumulate = 3; clip_norm = 1.0; }/' m.nn
try '' 'M_STEP_LR, M_STEP_BETA1, M_STEP_BETA2, M_STEP_EPS, M_STEP_CLIP_NORM, M_STEP_ACCUMULATE,'
# State of the loss itself: numbers, an integer, a bool, not all from the data.
cat >m.nn <<'N'
use optim;
struct Net { w: real[3] = 0.5 }
struct Stats { mean: real[3] = 0, n: int = 0, odd: bool = false, half: real = 1 }
fn loss(net: Net, stats: Stats, x: real[b, 3], y: real[b]) -> (real, Stats) = {
  let m = 0.9 * stats.mean + 0.1 * mean(x, 0);
  (mean(((x - m) @ net.w - y) ^ 2),
   Stats(mean = m, n = stats.n + 1, odd = !stats.odd, half = stats.half / 2))
};
train loss(net) { optimizer = momentum(lr = 1e-3); state = stats; }
N
try m_Stats 'M_STEP_LR, M_STEP_BETA, M_STEP_WEIGHT_DECAY,'

# What trains tells where.
cat >m.nn <<'N'
use optim;
struct Net { w: real[2] = 1 }
fn loss(net: Net, x: real[b, 2], y: real[b]) -> real = mean((x @ net.w - y) ^ 2);
train loss(net) { optimizer = sgd(lr = 1e3); }
N
printf 'a,b,y\n1,2,3\n4,5,6\n7,8,8\n' >data.csv
refuse 1 'the (loss|gradient of net.w) became infinite or not a number in epoch [0-9]+, step [0-9]+, whose update was not made' \
    "$NNCC" train m.nn --data data.csv --epochs 200 --batch 1
cat >m.nn <<'N'
use optim;
struct Net { w: real[2] = 1, s: real[3] = 0 }
fn loss(net: Net, x: real[b, 2], y: real[b]) -> real = mean((x @ net.w + sum(sqrt(net.s)) - y) ^ 2);
train loss(net) { optimizer = sgd(lr = 1e-3); }
N
refuse 1 'the gradient of net.s became infinite or not a number in epoch 1, step 1, whose' \
    "$NNCC" train m.nn --data data.csv
sed -i 's/+ sum.*net.s))/+ log(-1 - sum(net.s))/' m.nn
refuse 1 'the loss became infinite or not a number in epoch 1, step 1, whose' "$NNCC" train m.nn --data data.csv

# An index that is no label: the row, and the place in the model.
cat >m.nn <<'N'
use optim;
struct Net { t: real[3, 2] = 1 }
fn loss(net: Net, k: int[b], y: real[b]) -> real =
  mean((net.t[k + 1][:, 0] - y)^2);
train loss(net) { optimizer = sgd(lr = 1e-3); }
N
printf 'k,y\n1,3\n2,6\n' >data.csv
refuse 1 'data.csv:3: an index made of this row is out of range: m.nn:4: index 3 of .net.t.k . 1.. is not in 0 ... 2' \
    "$NNCC" train m.nn --data data.csv --test 0 --columns k=k --columns y=y
