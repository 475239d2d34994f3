#!/bin/sh
# run.sh NNCC: what derivatives cost beside what they are derivatives of, of the examples and
# workloads; and workspaces.
. "$(dirname "$0")/../lib.sh"
gcc -O2 -I"$bench" -I"$top/runtime" "$bench/ratios/main.c" -o "$work/ratio" -ldl -lm

# FILE FUNCTION PARAMETERS SIZE…: its gradient, in a copy of the file that exports both.
gradient() {
    folder=$(dirname "$top/$1") file=$1 name=$(basename "$1")
    mkdir "$work/copy"
    cp "$folder"/*.nn "$work/copy"
    printf '\nexport %s as the_function, value_and_grad(%s, %s) as its_gradient;\n' \
        "$2" "$2" "$3" >>"$work/copy/$name"
    what="value and gradient of ${file#tests/bench/}, $2"
    shift 3
    "$nncc" "$work/copy/$name" $real --name=m --cpu=native -o "$work/m.so"
    "$work/ratio" "$what" "$work/m.so" its_gradient the_function '<= 3' "$@"
    rm -r "$work/copy"
}
real=
gradient examples/digits/digits.nn loss net b=32
gradient examples/embed/model.nn loss net b=32
gradient examples/fashion/fashion.nn test net b=32
gradient examples/chars/lstm.nn loss net b=16 t=64
gradient examples/chars/gpt.nn loss net b=16 t=64
gradient examples/brackets/brackets.nn loss net b=32
gradient examples/paths/paths.nn loss net b=32
gradient examples/words/words.nn loss net b=32
gradient examples/vae/vae.nn loss net b=32
gradient examples/finetune/whole.nn loss net b=32
gradient examples/maml/maml.nn meta net
gradient examples/logistic/logistic.nn loss m n=569
gradient examples/regression/regression.nn loss m n=442
gradient examples/flowers/softmax.nn loss net b=150 n=4 k=3
gradient examples/mixture/mixture.nn loss m n=1000
gradient examples/lecture/deep.nn loss net b=32 l=4 h=64 k=10
real=--real=f64
gradient examples/mixture/gmm.nn gmm 'alpha, mu, q, l' n=1000 k=5 d=10
gradient examples/kmeans/kmeans.nn cost centres n=1000 k=10 d=4
gradient examples/control/control.nn cost u n=50
gradient examples/pendulum/pendulum.nn loss v n=200
gradient examples/bundle/bundle.nn loss s n=20 m=1000 p=5000
gradient tests/bench/workloads/gmm.nn gmm 'alpha, mu, q, l' n=1000 k=25 d=32
gradient tests/bench/workloads/kmeans.nn cost centres n=10000 k=100 d=16
gradient tests/bench/workloads/lse.nn lse x n=100000
gradient tests/bench/workloads/llsq.nn llsq x n=4096 m=64
gradient tests/bench/workloads/lstm.nn lstm 'main, extra' l=4 c=256 b=14

"$nncc" "$bench/ratios/mlp.nn" --name=m --cpu=native -o "$work/m.so"
for b in 1 128; do
    "$work/ratio" "MLP 4 x 512, batch $b: Hessian times vector" "$work/m.so" \
        curvature gradient '<= 2.5' b=$b
done

workspace() { # MODEL FUNCTION SIZE…
    "$nncc" "$bench/workloads/$1.nn" --real=f64 --name=m --cpu=native -o "$work/m.so"
    what="$1: workspace of $2" function=$2
    shift 2
    "$work/ratio" "$what" "$work/m.so" "$function" '' 'workspace <= 2' "$@"
}
workspace gmm gradient n=1000 d=64 k=100
workspace kmeans direction n=10000 k=1000 d=16
"$nncc" "$bench/networks/conv.nn" --dim=b=32 --dump=kernels |
    awk -f "$bench/ratios/live.awk" -v of=step -v what="conv net: workspace of a step, batch 32" -v target='<= 1.25'
