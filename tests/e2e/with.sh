# with.sh: a model with its trained parameters in it, called from C and C++ with
# raw numbers; as a starting point; and in other files.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use nn;
use optim;
struct Net { hidden: Linear[3, 8], out: Linear[8, 2] }
fn predict(net: Net, x: real[b, 3]) -> real[b, 2] = x |> linear(net.hidden) |> tanh |> linear(net.out);
fn kind(net: Net, x: real[b, 3]) -> int[b] = argmax(predict(net, x), axis = 1);
fn one(net: Net, x: real[3]) -> real[2] =
  net.out.b + tanh(net.hidden.b + x @ net.hidden.W) @ net.out.W;
fn loss(net: Net, x: real[b, 3], y: int[b]) -> real = cross_entropy(predict(net, x), y);
train loss(net) {
  optimizer = adam(lr = 0.02);
  metric    = accuracy(predict);
}
export one, predict, kind, value_and_grad(loss, net) as loss_grad;
N
awk 'BEGIN { print "u,v,w,kind"; for (i = 0; i < 90; i++) { u = i % 7; v = 100 * (i % 5); w = i % 3
             print u "," v "," w "," (u + v / 100 > 5 ? "large, \"or so\"" : "small") } }' |
    sed 's/large, "or so"/"large, ""or so"""/' >d.csv
accept "$NNCC" train m.nn --data d.csv --standardise --batch 16 --epochs 20 --save net.safetensors \
    --save net.h --save net.bin --save net.json
accept "$NNCC" predict m.nn --load net.safetensors --data d.csv
sed 1d out.txt >want.txt
accept "$NNCC" eval m.nn --load net.safetensors --data d.csv --json
cp out.txt eval.json

# The header says what is in it; code takes no parameters and raw numbers.
accept "$NNCC" m.nn --with net.safetensors -o m.so
grep -q "Classes: 0 large, \"or so\", 1 small" m.h || fail "no classes in the header"
grep -q 'Columns: u, v, w' m.h || fail "no columns in the header"
grep -q 'int m_predict(const float \*x, int64_t b' m.h || fail "predict still takes the parameters"
cat >use.c <<'C'
#include "m.h"
#include <stdio.h>
#include <string.h>
NN_ALIGN(64) static unsigned char work[1 << 16];
static m_Net net, start;
static m_train_state state;
int main(int argc, char **argv)
{
    FILE *f = fopen("d.csv", "r"), *bytes = fopen("net.bin", "rb");
    char line[200];
    float x[3], p[2], q[2];
    int32_t k;
    const nn_fit *fit = m_module()->fit;
    if (!f || !bytes || !fgets(line, sizeof line, f) || fit->nclass != 2 || fit->nfeature != 3 ||
        strcmp(fit->feature_name[1], "v") != 0 || strcmp(fit->label_name, "kind") != 0)
        return 1;
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "%f,%f,%f", &x[0], &x[1], &x[2]) != 3 || m_predict(x, 1, p, work, 0) != NN_OK ||
            m_kind(x, 1, &k, work, 0) != NN_OK || m_one(x, q, work, 0) != NN_OK)
            return 2;
        if (p[0] - q[0] > 1e-4 || q[1] - p[1] > 1e-4)
            return 3;
        printf("%s,%.5g,%.5g\n", fit->class_name[k], (double)p[0], (double)p[1]);
    }
    (void)argv;
    if (fread(&net, sizeof net, 1, bytes) != 1 || m_init(argc, &start, &state, work, 0) != NN_OK ||
        memcmp(net.hidden.W, start.hidden.W, sizeof net.hidden.W) != 0 ||
        memcmp(net.out.b, start.out.b, sizeof net.out.b) != 0)
        return 4;
    return 0;
}
C
cat >built.c <<'C'
#include "net.h"
int main(void) { return m_net.hidden.W[1][2] == 0 || m_net.out.b[0] == m_net.out.b[1]; }
C
$CC -std=c99 -Wall -Wextra -Werror built.c -o built && ./built || fail "net.h"
if command -v g++ >/dev/null; then
    g++ -x c++ -std=c++11 -Wall -Wextra -Werror built.c -o built && ./built || fail "net.h in C++"
fi
compare() { # what it printed and what predict gave: names, and numbers nearly
    sed 's/^"large, ""or so"""/large, "or so"/; s/, "or so"/ or so/' want.txt | cut -d, -f2- >a.txt
    sed 's/, "or so"/ or so/' "$1" | cut -d, -f2- >b.txt
    paste -d, a.txt b.txt | awk -F, '
        function off(a, b) { return a < b ? b - a : a - b }
        off($1, $3) > 1e-3 * (1 + off($1, 0)) || off($2, $4) > 1e-3 * (1 + off($2, 0)) { exit 1 }
        END { exit NR != 90 }' || fail "other predictions"
    [ "$(grep -c '^small' "$1")" = "$(grep -c ',small$' d.csv)" ] || fail "other classes"
}
$CC -std=c11 -Wall -Wextra -Werror use.c ./m.so -o use && ./use >c.txt || fail "in C: status $?"
compare c.txt
if command -v g++ >/dev/null; then
    g++ -x c++ -std=c++11 -Wall -Wextra -Werror use.c -x none ./m.so -o use++ && ./use++ >cc.txt ||
        fail "in C++: status $?"
    cmp c.txt cc.txt || fail "other numbers in C++"
fi

# A starting point for libnn: what it evaluates first is what was trained, raw
# data being what it is given.
cat >go.c <<'C'
#include <nn.h>
#include <stdio.h>
int main(void)
{
    nncc_model *m;
    nncc_data *d;
    nncc_train_options o = NNCC_TRAIN_DEFAULTS;
    double before, after;
    o.epochs = 0;
    if (nncc_open("./m.so", &m) || nncc_csv_read("d.csv", NULL, &d) || nncc_train(m, &o, d, NULL, NULL) ||
        nncc_evaluate(m, d, 0, NULL, &before, NULL))
        return fprintf(stderr, "%s\n", nncc_last_error()), 1;
    o.epochs = 5;
    if (nncc_train(m, &o, d, NULL, NULL) || nncc_evaluate(m, d, 0, NULL, &after, NULL))
        return fprintf(stderr, "%s\n", nncc_last_error()), 1;
    printf("%.9g\n", before);
    nncc_data_free(d);
    nncc_close(m);
    return !(after < before);
}
C
$CC go.c $libnn -o go && ./go >go.txt || fail "libnn"
grep -q "\"loss\": $(cut -c1-6 go.txt)" eval.json || fail "starts at $(cat go.txt), not $(cat eval.json)"

# Columns of several parameters, each as it was in training.
cat >two.nn <<'N'
use optim;
struct Net { w: real[2] = 0, v: real = 0, b: real = 0 }
fn predict(net: Net, x: real[b, 2], z: real[b]) -> real[b] = x @ net.w + z * net.v + net.b;
fn loss(net: Net, x: real[b, 2], z: real[b], y: real[b]) -> real = mean((predict(net, x, z) - y)^2);
train loss(net) { optimizer = adam(lr = 0.1); }
export predict;
N
awk 'BEGIN { print "a,b,c,y"; for (i = 0; i < 60; i++) { a = i % 7; b = 100 * (i % 5); c = i % 3 + 50
             print a "," b "," c "," 2 * a - b / 100 + 3 * c } }' >two.csv
accept "$NNCC" train two.nn --data two.csv --no-label --columns x=b,a --columns z=c --columns y=y --epochs 50 \
    --standardise --save two.safetensors --quiet
accept "$NNCC" predict two.nn --load two.safetensors --data two.csv
sed -n 4p out.txt >want.txt
accept "$NNCC" two.nn --with two.safetensors -o two.so
grep -q "take x, z, y as" two.h || fail "$(grep take two.h)"
cat >two.c <<'C'
#include "two.h"
#include <stdio.h>
NN_ALIGN(64) static unsigned char work[1 << 12];
int main(void)
{
    float x[2] = {200, 2}, z = 52, y = 0, want = 0;
    FILE *f = fopen("want.txt", "r");
    return !f || two_predict(x, &z, 1, &y, work, 0) != NN_OK || fscanf(f, "%f", &want) != 1 ||
           !(y - want < 1e-4f && want - y < 1e-4f);
}
C
$CC two.c ./two.so -o two && ./two || fail "other predictions of columns: $(cat want.txt)"

# With what a file lacks: init makes it; a function that needs it is refused.
cat >more.nn <<'N'
use nn;
use optim;
struct Net { hidden: Linear[3, 8], out: Linear[8, 2], extra: real[2] = 1 }
fn predict(net: Net, x: real[b, 3]) -> real[b, 2] =
  (x |> linear(net.hidden) |> tanh |> linear(net.out)) * net.extra;
fn loss(net: Net, x: real[b, 3], y: int[b]) -> real = cross_entropy(predict(net, x), y);
train loss(net) { optimizer = adam(); }
N
accept "$NNCC" more.nn --with net.safetensors -o more.so
grep -q 'net.extra is not in net.safetensors: init makes it' out.txt || fail "not told: $(cat out.txt)"
echo 'export predict;' >>more.nn
refuse 1 'net.safetensors has no net.extra, which predict needs' "$NNCC" more.nn --with net.safetensors -o p.so
sed 's/3, 8/3, 9/; s/8, 2/9, 2/' m.nn >wide.nn
refuse 1 "another model's: 'net.hidden.W' is f32\[3, 8\], here f32\[3, 9\]" "$NNCC" wide.nn --with net.safetensors -o p.so
sed 's/net\b/other/g' m.nn >other.nn
refuse 1 'nothing in it is of this model: its arrays are called net.hidden.W' "$NNCC" other.nn --with net.safetensors -o p.so
refuse 1 "No such file" "$NNCC" m.nn --with none.safetensors -o p.so
sed 's/^export/export grad(loss, x) as pull,/' m.nn >pull.nn
refuse 1 "'pull' is differentiated by 'x'" "$NNCC" pull.nn --with net.safetensors -o p.so

# Without a train item; names of fields alone where it is said what they are of.
sed '/^train/,/^}/d' m.nn >apart.nn
accept "$NNCC" apart.nn --with net.safetensors -o apart.so
accept "$NNCC" apart.nn --with net=net.safetensors -o apart.so
refuse 1 'nothing in it' "$NNCC" apart.nn --with body=net.safetensors -o p.so

# Free dimensions are to be fixed.
cat >free.nn <<'N'
use optim;
struct Line[n] { w: real[n] = 0 }
fn f(p: Line[n], x: real[b, n]) -> real[b] = x @ p.w;
fn loss(p: Line[n], x: real[b, n], y: real[b]) -> real = sum((f(p, x) - y)^2);
train loss(p) { optimizer = sgd(lr = 0.01); }
export f;
N
printf '1,2,5\n2,1,4\n3,3,9\n' >w.csv
accept "$NNCC" train free.nn --data w.csv --dim n=2 --test 0 --epochs 100 --save w.safetensors --save w.npy
sed '/^train/d' free.nn >any.nn
refuse 1 "'p.w' is f32\[2\], here f32\[n\]" "$NNCC" any.nn --with w.safetensors -o p.so
accept "$NNCC" free.nn --with w.safetensors --dim n=2 -o free.so
[ "$(wc -c <w.npy)" = 136 ] && head -c 8 w.npy | grep -q NUMPY || fail "w.npy"
accept "$NNCC" run m.nn predict net=@net.json 'x=[[0, 0, 0]]'

# Each of several `train` items has data of its own name.
cat >two.nn <<'N'
use optim;
struct A { w: real[3] = 0 }
struct B { w: real[3] = 0 }
fn first(a: A, x: real[n, 3], y: real[n]) -> real = mean((x @ a.w - y)^2);
fn second(b: B, z: real[n, 3], y: real[n]) -> real = mean((z @ b.w - y)^2);
fn p(a: A, x: real[n, 3]) -> real[n] = x @ a.w;
fn q(b: B, z: real[n, 3]) -> real[n] = z @ b.w;
export p, q;
train first(a) { optimizer = sgd(lr = 0.1); }
train second(b) { optimizer = sgd(lr = 0.1); }
N
awk 'BEGIN { print "u,v,w,y"; for (i = 0; i < 60; i++) print i % 7 "," 100 * (i % 5) "," i % 3 "," i % 7 + i % 5 }' >e.csv
accept "$NNCC" train two.nn --data e.csv --standardise --epochs 2 --quiet --save two.safetensors
accept "$NNCC" two.nn --with two.safetensors -o two.so
grep -q 'its functions take x, z as' two.h || fail "$(grep -A2 'are in the module' two.h)"

# Parameters that the file lacks are not made up where they are used.
sed 's/hidden/first/g' m.nn >renamed.nn
for use in predict eval; do
    refuse 1 "net.safetensors: another model's: it has no net.first.W, net.first.b; it has net.hidden.W, net.hidden.b, net.out.W" \
        "$NNCC" $use renamed.nn --load net.safetensors --data d.csv
done
