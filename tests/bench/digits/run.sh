#!/bin/sh
# run.sh NNCC: the demo and what it comes to.
. "$(dirname "$0")/../lib.sh"
cd "$top"
"$nncc" train examples/digits/digits.nn --data examples/digits/digits.csv.gz \
    --test 360 --epochs 50 >"$work/demo"
row 'digits: held-out accuracy' '' "$(sed -n 's/^test accuracy: //p' "$work/demo")" '' '>= 0.97' ''
row 'digits: training time' '' "$(sed -n 's/^training time: //p' "$work/demo")" '' '<= 5 s' ''
"$nncc" examples/digits/digits.nn --cpu=native -o "$work/one.so"
strip "$work/one.so"
row 'stripped digits.so, one CPU level' '' "$(($(wc -c <"$work/one.so") / 1024)) KiB" '' '<= 64 KiB' ''
for model in lstm gpt; do
    "$nncc" train examples/chars/$model.nn --text examples/chars/proverbs.txt \
        --batch 16 --epochs 1 >"$work/chars"
    row "chars/$model.nn: 64,000 characters" '' \
        "$(sed -n 's/^training time: //p' "$work/chars")" '' '' ''
done
