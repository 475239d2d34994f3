# workloads.sh: the programs that others are measured by: each compiles, its
# derivatives are right, its values are known ones.
. "$ROOT/tests/e2e-lib.sh"

for model in "$ROOT"/tests/bench/workloads/*.nn; do
    accept "$NNCC" "$model" -o m.so
    accept "$NNCC" check "$model"
done

value() { # WORKLOAD EXPECTED ARGUMENT…
    cp "$ROOT/tests/bench/workloads/$1.nn" m.nn
    shift
    is "$@" --real=f64
}

value llsq '{"llsq": 2.56640625}' llsq x='[0.5,-1,0.25,2]' n=5
value llsq '{"d_x": [3.125, -1.25, 1.78125, -0.3125]}' gradient \
    x='[0.5,-1,0.25,2]' n=5
value lse '{"lse": 1001.551444713932}' lse x='[1000,1001,1000]'
value kmeans '{"cost": 8.625}' cost points='[[0,0],[1,0],[4,4],[6,4]]' \
    centres='[[0.25,1],[4,3],[9,9]]'
value kmeans '{"direction": [[-0.25, 1], [-1, -1], [0, 0]]}' direction \
    points='[[0,0],[1,0],[4,4],[6,4]]' centres='[[0.25,1],[4,3],[9,9]]'

# By the formula in plain loops elsewhere: -32.07078261109981.
cp "$ROOT/tests/bench/workloads/gmm.nn" m.nn
accept "$NNCC" run m.nn gmm alpha='[0.1,-0.3]' mu='[[0,0.5,1],[1,-1,0.2]]' \
    q='[[0.1,-0.2,0.3],[0,0.2,-0.1]]' l='[[0.5,-0.4,0.3],[0.1,0.2,-0.6]]' \
    x='[[0.2,0.1,0.9],[1.5,-0.7,0],[-1,2,0.4],[0.3,0.3,-0.8]]' --real=f64
grep -q '"gmm": -32.070782611[01]' out.txt || fail "gmm: $(cat out.txt)"
