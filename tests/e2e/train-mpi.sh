# train-mpi.sh: one training by several processes, under each MPI that is there: the bits of
# one that accumulates as much; across network namespaces; when a process is killed, or fails.
. "$ROOT/tests/e2e-lib.sh"
# What MPI leaves in memory in the end is not ours.
ASAN_OPTIONS=detect_leaks=0 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export ASAN_OPTIONS OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM

cat >m.nn <<'N'
use nn;
use optim;
struct Net { hidden: Linear[3, 16], out: Linear[16, 1] }
fn predict(net: Net, x: real[b, 3]) -> real[b] = linear(tanh(linear(x, net.hidden)), net.out)[:, 0];
fn loss(net: Net, x: real[b, 3], y: real[b], k: key) -> real =
  mean((predict(net, dropout(x, k, rate = 0.1)) - y) ^ 2);
fn test(net: Net, x: real[b, 3], y: real[b]) -> real = mean((predict(net, x) - y) ^ 2);
train loss(net) {
  optimizer = adam(lr = 0.01);
  key       = k;
  evaluate  = test;
}
N
awk 'BEGIN { for (i = 0; i < 150; i++) { u = i % 7; v = i % 5; print u "," v "," i % 3 "," u * v / 10 + 0.5 } }' >d.csv
train="train m.nn --data d.csv --batch 8"
accept "$NNCC" $train --epochs 4 --accumulate 4 --save one.safetensors --log one.csv
cp out.txt one.txt

# Two items in turn.
cat >gan.nn <<'N'
use nn;
use optim;
struct Gen { out: Linear[2, 3] }
struct Net { out: Linear[3, 1] }
fn make(gen: Gen, k: key, n: int) -> real[n, 3] = normal(k, [n, 2]) |> linear(gen.out);
fn score(net: Net, x: real[b, 3]) -> real[b] = linear(x, net.out)[:, 0];
fn critic(net: Net, gen: Gen, x: real[b, 3], k: key) -> real =
  mean(softplus(-score(net, x))) + mean(softplus(score(net, make(gen, k, b))));
fn generator(gen: Gen, net: Net, x: real[b, 3], k: key) -> real = mean(softplus(-score(net, make(gen, k, b))));
train critic(net) { optimizer = adam(lr = 0.01); key = k; steps = 2; }
train generator(gen) { optimizer = adam(lr = 0.01); key = k; }
N
gan="train gan.nn --data d.csv --columns x=0:3 --batch 4 --epochs 3"
accept "$NNCC" $gan --accumulate 2 --save gan.safetensors

# Side by side: five trainings, the best of which not the first process makes.
side="$train --epochs 2 --seeds 5 --grid lr=0.001,0.03"
accept "$NNCC" $side --save side.safetensors
grep -q '^best: seed [1-4], lr 0.03' out.txt || fail "the best is not one that another makes: $(cat out.txt)"
cp out.txt side.txt

# Two trainings, which three processes make, too.
pair="$train --epochs 1 --seeds 2"
accept "$NNCC" $pair --save pair.safetensors

# Without MPI it says so, and does not train as often as there are processes.
mkdir bare && cp "$NNCC" bare/
OMPI_COMM_WORLD_SIZE=2 refuse 1 'one of 2 processes .OMPI_COMM_WORLD_SIZE., but nncc was built without' \
    bare/nncc $train
OMPI_COMM_WORLD_SIZE=1 accept bare/nncc $train --epochs 1

# What each process runs: it leaves its number, and may have data of its own.
cat >rank <<'S'
rank=${OMPI_COMM_WORLD_RANK:-$PMI_RANK}
echo $$ >pid.$rank
[ "$rank" != 1 ] || [ ! -f only-1 ] || set -- "$@" $(cat only-1)
exec "$@"
S
start() { # N COMMAND…
    n=$1
    shift
    case $mpi in
    openmpi) timeout 200 mpirun.openmpi --oversubscribe -n "$n" sh rank "$@" ;;
    *) timeout 200 mpirun.mpich -n "$n" sh rank "$@" ;;
    esac
}

# Two machines, a link between them.
space=nncc$$
spaces() {
    ip netns add ${space}a && ip netns add ${space}b &&
        ip link add v0 netns ${space}a type veth peer name v0 netns ${space}b || return 1
    for s in a.1 b.2; do
        ip -n $space${s%.?} addr add 10.77.0.${s#?.}/24 dev v0 && ip -n $space${s%.?} link set v0 up &&
            ip -n $space${s%.?} link set lo up || return 1
    done
}
leave() {
    ip netns del ${space}a || true
    ip netns del ${space}b || true
} 2>/dev/null
trap leave EXIT
# Open MPI is told to use the link; MPICH finds out that memory is shared.
start_apart() { # COMMAND…
    cat >there <<S
#!/bin/sh
[ "\$1" != -x ] || shift
case \$1 in 10.77.0.1) s=a ;; *) s=b ;; esac
shift
exec ip netns exec $space\$s sh -c "\$*"
S
    chmod +x there
    hosts=10.77.0.1,10.77.0.2
    case $mpi in
    openmpi) timeout 200 ip netns exec ${space}a mpirun.openmpi --mca plm_rsh_agent "$PWD/there" --mca btl tcp,self \
        --host $hosts sh rank "$@" ;;
    *) timeout 200 ip netns exec ${space}a mpirun.mpich -launcher ssh -launcher-exec "$PWD/there" -hosts $hosts -n 2 \
        sh rank "$@" ;;
    esac
}

# Not ended, and no zombie that nobody has waited for.
runs() { grep -q '^State:.[^ZX]' "/proc/$(cat pid.$1)/status" 2>/dev/null; }

# A process is killed in the midst: all end, and the last checkpoint goes on to the same bits.
killed() {
    start 4 "$NNCC" $train --steps 1000000 --checkpoint run --checkpoint-steps 3 >out.txt 2>err.txt &
    i=0
    while [ ! -f run/last.safetensors ] && [ $i -lt 600 ]; do
        sleep 0.05
        i=$((i + 1))
    done
    kill -KILL "$(cat pid.2)"
    ! wait $! || fail "$mpi: ends well though a process was killed"
    [ -s err.txt ] || [ -s out.txt ] || fail "$mpi: says nothing"
    i=0
    while runs 0 || runs 1 || runs 3; do
        i=$((i + 1))
        [ $i -lt 200 ] || fail "$mpi: a process goes on without the one that was killed"
        sleep 0.05
    done
    done=$(grep -ao '"done[\\]*":[0-9]*' run/last.safetensors | tr -dc 0-9)
    again="$train --steps $((done + 9)) --checkpoint run --resume --accumulate 2 --save killed.safetensors"
    if spaces 2>/dev/null; then
        accept start_apart "$NNCC" $again
    else
        echo 'skipped: network namespaces'
        accept start 2 "$NNCC" $again
    fi
    leave
    accept "$NNCC" $train --steps $((done + 9)) --accumulate 4 --save whole.safetensors
    cmp whole.safetensors killed.safetensors || fail "$mpi: killed, it comes to other numbers"
    rm -r run
}

for mpi in openmpi mpich; do
    [ -f "$BUILD/libnncc_$mpi.so" ] && command -v mpirun.$mpi >/dev/null || {
        echo "skipped: $mpi"
        continue
    }
    accept start 4 "$NNCC" $train --epochs 4 --save four.safetensors --log four.csv
    cmp one.safetensors four.safetensors || fail "$mpi: four processes come to other numbers"
    sed 's/[0-9.]* s$//; s/ [0-9.e+]* rows.*//' one.txt >a
    sed 's/[0-9.]* s$//; s/ [0-9.e+]* rows.*//' out.txt | cmp a - || fail "$mpi: says $(cat out.txt)"
    [ "$(wc -l <one.csv)" = "$(wc -l <four.csv)" ] || fail "$mpi: logs $(cat four.csv)"
    accept start 2 "$NNCC" $gan --save two.safetensors
    cmp gan.safetensors two.safetensors || fail "$mpi: items in turn come to other numbers"
    mkdir log
    accept start 3 "$NNCC" $side --save several.safetensors --log log/l.csv --checkpoint kept
    cmp side.txt out.txt && cmp side.safetensors several.safetensors || fail "$mpi: trainings side by side differ"
    accept start 3 "$NNCC" $pair --save three.safetensors
    cmp pair.safetensors three.safetensors || fail "$mpi: three processes for two trainings differ"
    [ "$(ls -d log/seed-*/l.csv kept/seed-*/last.safetensors | wc -l)" = 20 ] || fail "$mpi: $(ls log kept)"
    refuse 2 "'--jobs' is of one process" start 2 "$NNCC" $side --jobs 2
    refuse 1 'kept/seed-[01]-lr-0.001/last.safetensors: is there already' start 2 "$NNCC" $side --checkpoint kept
    rm -r log kept
    killed
    size=OMPI_COMM_WORLD_SIZE
    [ $mpi = openmpi ] || size=PMI_SIZE
    refuse 1 'knows of 1 process, not of 3' env $size=3 "$NNCC" $train
    echo --load=no.such >only-1
    refuse 1 "no.such: " start 2 "$NNCC" $train --save never.safetensors
    [ "$(grep -c 'no\.such' err.txt)" = 1 ] || fail "$mpi: says it more than once: $(cat err.txt)"
    rm only-1
done
