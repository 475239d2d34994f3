# train-settings.sh: options and settings of a training in a file.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use optim;
struct Line { w: real[2] = 0, b: real = 0 }
fn loss(p: Line, x: real[n, 2], y: real[n]) -> real = mean((x @ p.w + p.b - y)^2);
train loss(p) { optimizer = adam(lr = 0.1); }
N
awk 'BEGIN { for (i = 0; i < 60; i++) print i % 7 "," i % 4 "," 2 * (i % 7) - i % 4 + 1 }' >d.csv

# What is written is read, to the same training and the same file.
given="--data d.csv --test 0.2 --batch 8 --epochs 3 --standardise --save p.json --save state=s.json"
accept "$NNCC" train m.nn $given --lr 0.5 --set adam.beta2=0.98 --print-config
cp out.txt run.toml
for line in 'model = "m.nn"' 'data = "d.csv"' 'test = 0.2' 'epochs = 3' 'standardise = true' \
    'save = ["p.json", "state=s.json"]' 'lr = 0.5' 'beta2 = 0.98' 'beta1 = 0.9' '# resume = true'; do
    grep -qxF "$line" run.toml || fail "no line '$line': $(cat run.toml)"
done
accept "$NNCC" train --config run.toml --print-config
cmp out.txt run.toml || fail 'a file of settings does not come back'
accept "$NNCC" train m.nn $given --lr 0.5 --beta2 0.98
cp p.json given.json && rm p.json s.json
accept "$NNCC" train --config run.toml
cmp p.json given.json || fail 'the file makes another training'

# The command line counts for more, by whole options.
accept "$NNCC" train --config run.toml --lr 0.1 --epochs 1 --save q.json --print-config
grep -qxF 'save = "q.json"' out.txt || fail "$(grep save out.txt)"
grep -qx 'epochs = 1' out.txt && grep -qx 'lr = 0.1' out.txt || fail "$(cat out.txt)"

# Names in tables.
awk -F, '{ print $1 "," $2 >"x.csv"; print $3 >"y.csv" }' d.csv
printf 'model = "m.nn"\nepochs = 1\n[data]\nx = "x.csv"\ny = "y.csv"\n' >named.toml
accept "$NNCC" train --config named.toml

# A template needs no data; settings stand beside the checkpoints, from the first step on.
accept "$NNCC" train m.nn --print-config
accept "$NNCC" train --config run.toml --checkpoint kept
accept "$NNCC" train --config kept/settings.toml --resume --epochs 4
grep -qx 'beta2 = 0.98' kept/settings.toml && grep -qx 'epochs = 4' kept/settings.toml ||
    fail "$(cat kept/settings.toml)"
# What is of one run alone is not among them: another one does not go on unasked.
grep -Eq '^(# )?(resume|overwrite) =' kept/settings.toml && fail "$(cat kept/settings.toml)"
refuse 1 'is there already, of an earlier training' "$NNCC" train --config kept/settings.toml

# '-' and '_' are one in names of options and settings.
sed 's/lr = 0.1);/& clip_norm = 1;/' m.nn >clip.nn
accept "$NNCC" train clip.nn --data d.csv --epochs 1 --eval_steps 5 --clip-norm 0.5 --set clip-norm=0.25 --print-config
grep -qx 'eval-steps = 5' out.txt && grep -qx 'clip_norm = 0.25' out.txt || fail "$(cat out.txt)"

wrong() { # LINE MESSAGE
    { cat named.toml && echo "$1"; } >wrong.toml
    refuse 1 "$2" "$NNCC" train --config wrong.toml
}
sed -i 's/epochs/rounds/' named.toml
refuse 1 'named.toml:2: nncc train has no option .rounds.' "$NNCC" train --config named.toml
sed -i 's/rounds = 1/epoch = 1/' named.toml
refuse 1 "no option 'epoch' .did you mean 'epochs'" "$NNCC" train --config named.toml
sed -i '2d' named.toml
wrong 'x = 1' "wrong.toml:5: 'data.x' is there twice"
wrong '[batch]
y = 1' "wrong.toml:6: nncc train has no option 'batch.y'"
wrong '[settings]
lr = true' "wrong.toml:6: the setting 'lr' is a number"
refuse 2 'neither an option nor a setting' "$NNCC" train --config named.toml --set sgd.lr=1
refuse 2 "'--set' is NAME=VALUE" "$NNCC" train --config named.toml --set lr
printf 'model = "m.nn"\nstandardise = 1' >wrong.toml
refuse 1 "wrong.toml:2: 'standardise' is true or false, not '1'" "$NNCC" train --config wrong.toml
printf 'model = "m.nn"\nepochs = "three"' >wrong.toml
refuse 2 "needs a whole number of at least 0, not 'three'" "$NNCC" train --config wrong.toml --data d.csv
printf 'model = "m.nn"\nepochs = true' >wrong.toml
refuse 1 "wrong.toml:2: 'epochs' is N, not 'true'" "$NNCC" train --config wrong.toml
printf 'epochs = 1\n\0\n' >wrong.toml
refuse 1 'with 0 bytes' "$NNCC" train --config wrong.toml
refuse 1 'no.toml' "$NNCC" train --config no.toml
refuse 2 'which model' "$NNCC" train

# What is no option takes no other option for its value.
refuse 2 "'--standardize' is no option; .* not '--epochs' \(did you mean '--standardise'" \
    "$NNCC" train m.nn --data d.csv --standardize --epochs 1
