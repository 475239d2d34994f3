# examples-dynamics.sh: the examples that solve something find what they say.
. "$ROOT/tests/e2e-lib.sh"
examples=$ROOT/examples

# holds CONDITION: awk's view of the numbers that were printed, $1, $2, …
holds() {
    sed 's/"[^"]*"//g' out.txt | tr -c '0-9.eE+-' ' ' >got.txt
    awk "{ exit !($1) }" got.txt || fail "not so: $1: $(cat out.txt)"
}

# The true values are within four standard errors.
near() { printf '(%s - %s)^2 < 16 * %s^2' "$1" "$2" "$3"; }
accept "$NNCC" run "$examples/pendulum/pendulum.nn" fit v='[1, 0, 2, 0]' \
    data=@"$examples/pendulum/swing.csv" steps=30
holds "$(near '$1' 0.7 '$5') && $(near '$2' 0.15 '$6')"
holds "$(near '$3' 2.2 '$7') && $(near '$4' 0 '$8') && $(near '$9' 0.02 0.001)"

# As exact as the noise allows, and the wrong observations are those dropped.
for seed in 1 3; do
    accept "$NNCC" run "$examples/bundle/bundle.nn" trial seed=$seed n=8 m=40 \
        steps=20 --real=f64
    holds '$1 > 20 && $2 < 0.31 && $3 == $4 && $3 == $5'
done

# Costs and lengths of the gradient, from step to step.
accept "$NNCC" run "$examples/control/control.nn" plan n=36 --real=f64
holds '$38 < $37 / 5 && $39 < $38 / 3 && $40 < 4.04'
holds '$44 < 1e-11'

# One step takes a trained network most of the way, and a new one nowhere.
meta=$examples/maml/maml.nn
accept "$NNCC" run "$meta" start seed=1
mv out.txt start.json
accept "$NNCC" run "$meta" learn net=@start.json seed=1 steps=5000
mv out.txt net.json
accept "$NNCC" run "$meta" test net=@net.json seed=5
holds '$1 < 4 && $2 < $1 / 1.7'
accept "$NNCC" run "$meta" test net=@start.json seed=5
holds '$2 > $1'
