# train-faults.sh: which operation of a model made the first number that is none.
. "$ROOT/tests/e2e-lib.sh"

printf '1,2,3\n4,5,6\n700,8,8\n' >data.csv

# told LOSS PATTERN…: what is told of a loss that ends so, line by line.
told() {
    cat >m.nn <<N
use nn;
use optim;
struct Net { w: real[2] = 1, s: real[3] = 0, k: real = 1 }
fn loss(net: Net, x: real[b, 2], y: real[b], r: key) -> real {
  let p = x @ net.w;
  $1
}
train loss(net) { optimizer = sgd(lr = 1e-3); key = r; accumulate = 2; }
N
    refuse 1 'in epoch 1, step 1, whose update was not made' \
        "$NNCC" train m.nn --data data.csv --test 0 --batch 3 --debug-nan
    tail -n +2 err.txt >told.txt
    shift
    [ "$(wc -l <told.txt)" = $# ] || fail "$(cat told.txt)"
    for pattern; do
        sed -n 1p told.txt | grep -Eq "^$pattern\$" || fail "$(cat told.txt), expected $pattern"
        sed -i 1d told.txt
    done
}
# A value: what became infinite, and what is no number because of it; where single
# precision does, too, and by the library.
told 'let e = exp(p); mean(e / (e + e) - y)' \
    "m.nn:6:11: 'exp.p.' in loss: its value .exp. is infinite at .[012]., where p is 708" \
    "m.nn:6:24: 'e / .e . e.' in loss: its value .div. is not a number at .[012]., where e is infinite, .* is infinite"
told 'mean(y + 1e38 * (p - y) * 1e2)' \
    "m.nn:6:.*' in loss: its value .mul. is infinite at .*, where .*"
told 'mean(log(y - y) + y)' "m.nn:6:8: 'log.y - y.' in loss: its value .log. is -infinite at .*, where y - y is 0"
told 'sum(y * softmax(exp(p))) + sum(dropout(p, r))' "m.nn:6:.*exp.p.* is infinite at .*" \
    "m.nn:6:11: .*softmax.*' in softmax in loss: its value .* is not a number.*"
# A derivative.
told 'mean(p) + sum(sqrt(net.s))' \
    "m.nn:6:17: 'sqrt.net.s.' in loss: its derivative by net.s is infinite at .0., where it is 0"
told 'fold(t < 3, a = net.k | sqrt(a * net.s[0] + net.s[1])) + mean(p)' "m.nn:6:.*'sqrt.*its derivative by .* is .*, where it is 0"

# The model may be on standard input.
refuse 1 'debug-nan tells where' "$NNCC" train m.nn --data data.csv --test 0
{ "$NNCC" train - --data data.csv --test 0 --debug-nan <m.nn 2>err.txt && fail 'it trains'; } || :
grep -q '^ *<stdin>:6:' err.txt || fail "$(cat err.txt)"
