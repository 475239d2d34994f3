# bench.sh: nncc bench: how long functions take and what they take it for.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use nn;
fn scores(w: real[k, c], x: real[n, k]) -> real[n, c] = x @ w;
fn loss(w: real[k, c], x: real[n, k], y: int[n]) -> real =
  cross_entropy(scores(w, x), y);
fn places(x: real[n], i: int[n]) -> real[n] = [j < n | x[i[j]]];
fn keep(x: real[n]) -> real[n - 3] = [i < n - 3 | x[i]];
fn none(i: int) -> int = i;
fn steps(x: real[n + 1], w: real[n, k]) -> real = sum(x) + sum(w);
export loss, grad(loss, w) as g;
N
bench="$NNCC bench --time 0.001"
# Numbers fit each other, and what nncc cost counts.
sizes="--dim c=10 --dim n=8 --dim k=32"
accept $bench m.nn loss $sizes --json
cp out.txt found.json
accept "$NNCC" cost m.nn loss $sizes --json
cp out.txt cost.json
python3 - <<'P'
import json
(f,), (c,) = json.load(open('found.json')), json.load(open('cost.json'))
assert f["dims"] == {}, f
arithmetic = sum(c[k] for k in ('additions', 'multiplications', 'divisions', 'functions'))
assert f['operations'] == arithmetic + 2 * c['products'], (f, c)
assert f['bytes'] == c['bytes_moved'], (f, c)
assert 0 < f['seconds'] <= f['median'] < 1, f
share = f['operations'] / f['seconds'] / f['operations_per_second']
assert abs(share / f['of_arithmetic'] - 1) < 1e-4, f
share = f['bytes'] / f['seconds'] / f['bytes_per_second']
assert abs(share / f['of_memory'] - 1) < 1e-4, f
assert f['bound'] in ('arithmetic', 'memory', 'neither'), f
assert 0 <= f['slowest'] < f['kernels'] and 0 < f['share'] <= 1, f
assert f['place'].startswith('m.nn:'), f
assert f['schedule'], f
P
# All that is exported, or what is named: derivatives too.
accept $bench m.nn
for f in loss g; do
    grep -q "^$f with k = 64, c = 64, n = 64$" out.txt || fail "$(cat out.txt)"
done
grep -q '^  slowest     kernel [0-9]* of [0-9]*, [0-9]* %, m.nn:' out.txt || fail "$(cat out.txt)"
accept $bench m.nn 'hvp(loss, w)' none n=4 k=4 c=3 --real=f64
grep -q '^hvp(loss, w) with k = 4, c = 3, n = 4$' out.txt || fail "$(cat out.txt)"
# Sizes follow from what is given; integers that are no index are 0.
accept $bench m.nn places n=1
grep -q '^places with n = 1$' out.txt || fail "$(cat out.txt)"
accept $bench m.nn loss 'y=[0,1,2]' k=2
grep -q '^loss with k = 2, c = 64, n = 3$' out.txt || fail "$(cat out.txt)"
accept $bench m.nn steps 'x=[1,2,3]'
grep -q '^steps with n = 2, k = 64$' out.txt || fail "$(cat out.txt)"

refuse 1 "no function.*'los'|'los'.*did you mean 'loss'" $bench m.nn los
refuse 1 "none of the functions has what 'q=3' gives" $bench m.nn loss q=3
refuse 1 'expected a value of type int' $bench m.nn loss 'y=[[0]]'
refuse 1 "index|m.nn:5" $bench m.nn places 'i=[5,0]'
refuse 1 "'x' has shape .3.; expected .n . 1. = .5." $bench m.nn steps 'x=[1,2,3]' n=4
refuse 1 'would have size -1' $bench m.nn keep n=2
refuse 2 "'--time' is seconds" $bench --time 0 m.nn loss
sed '/^export/d' m.nn >bare.nn
refuse 1 'exports nothing' $bench bare.nn

# Other schedules are tried; which are faster is the machine's to say.
accept $bench m.nn loss $sizes --tune --json
python3 - <<'P'
import json
(f,) = json.load(open('out.txt'))
for t in f['tuned']:
    assert t['kernel'].startswith('kernel ') and t['setting'] and 0 < t['time'] < 0.95, t
P
