# std-nn.sh: activations, losses, metrics, initialisation and dropout of nn.nn;
# derivatives of all of it. Its layers are held against plain loops in
# std-layers.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use nn;
fn bent(x: real[n]) -> (real[n], real[n], real[n], real[n], real[n]) =
  (relu(x), leaky_relu(x), leaky_relu(x, 0.5), elu(x), elu(x, 2));
fn smooth(x: real[n]) -> (real[n], real[n], real[n], real[n]) =
  (selu(x), gelu(x), gelu_tanh(x), silu(x));
fn far(x: real) -> (real, real, real, real, real) = (elu(x), selu(x), gelu(x), gelu_tanh(x), silu(x));
fn at(x: real) -> (real, real) = (relu(x), leaky_relu(x));
fn tie(x: real, y: real) -> real = max(x, y);
fn ties(x: real[n]) -> real = max(x);
fn pooled(x: real[1, 2, 2, 1]) -> real = sum(max_pool(x, 2));

fn distances(y: real[n], t: real[n]) -> (real, real, real, real) =
  (mse(y, t), mae(y, t), huber(y, t), huber(y, t, delta = 3));
fn t_hinge(y: real[n], t: real[n]) -> real = hinge(y, t);
fn labelled(x: real[n, k], y: int[n]) -> (real, real) = (cross_entropy(x, y), nll(log_softmax(x), y));
fn probable(x: real[n, k], p: real[n, k]) -> real = cross_entropy_probs(x, p);
fn t_bce(x: real[n], p: real[n]) -> real = binary_cross_entropy(x, p);
fn t_kl(x: real[n, k], y: real[n, k]) -> real = kl(log_softmax(x), log_softmax(y));
fn t_kl_normal(mu: real[n, k], logvar: real[n, k]) -> real = kl_normal(mu, logvar);

fn t_accuracy(x: real[n, k], y: int[n]) -> real = accuracy(x, y);
fn tops(x: real[n, k], y: int[n]) -> (real, real, real) =
  (top_k_accuracy(x, y, n = 1), top_k_accuracy(x, y, n = 2), top_k_accuracy(x, y));
fn t_confusion(x: real[n, k], y: int[n]) -> real[k, k] = confusion(x, y);
fn t_r2(y: real[n], t: real[n]) -> real = r2(y, t);

fn sizes(n: int, m: int) -> (real, real, real) = (he(n), xavier(n, m), lecun(n));
# How far the rows (columns) are from being orthogonal and of length 2.
fn skew(k: key, n: int, m: int) -> real {
  let W = orthogonal(k, n, m, gain = 2);
  if n <= m { max(abs(W @ W' - 4 * eye(n))) } else { max(abs(W' @ W - 4 * eye(m))) }
}
struct Net {
  wide:   Linear[100, 50],
  image:  Conv2d[3, 3, 8, 10],
  line:   Conv1d[5, 8, 10],
  words:  Embedding[50, 40],
  lstm:   Lstm[2, 3],
  square: real[4, 4] ~ orthogonal(4, 4),
}

fn drop(x: real[n], k: key, rate: real) -> real[n] = dropout(x, k, rate);
# The mean, the part that is 0, how far the adjoint is from the same mask.
fn dropped(n: int, k: key) -> (real, real, real) {
  let x = [i < n | 1 + real(i % 7)];
  let ones = full([n], 1.0);
  let y = dropout(x, k, 0.3);
  let (again, x_bar) = vjp(drop, x)(x, k, 0.3, ones);
  (mean(y / x), mean(i < n | if y[i] == 0 { 1.0 } else { 0.0 }),
   max(abs(x_bar * x - y)) + max(abs(again - y)))
}
fn kept(x: real[n], k: key) -> real[n] = dropout(x, k, 0);

fn images(x: real[b, h, w, 2], l: Conv2d[2, 2, 1, 2]) =
  conv2d_layer(x, l, stride = 2, padding = 1, dilation = 2, groups = 2);
fn lines(x: real[b, n, 2], l: Conv1d[2, 1, 2]) =
  conv1d_layer(x, l, stride = 2, padding = 1, dilation = 2, groups = 2);
fn all(x: real[1, 3, 3, 1], l: Conv2d[2, 2, 1, 1]) = conv2d_layer(x, l);
fn row(x: real[1, 4, 1], l: Conv1d[2, 1, 1]) = conv1d_layer(x, l, stride = 2);

fn causal(x: real[1, t, 4], l: Attention[4]) -> real[1, t, 4] = attention(x, l, 2, causal = true);
# What the outputs up to place k know of the inputs after it.
fn leaks(x: real[1, t, 4], l: Attention[4], k: int) -> (real, bool) {
  let y_bar = [n < 1, i < t, m < 4 | if i <= k { 1 + real(m) } else { 0.0 }];
  let (y, x_bar) = vjp(causal, x)(x, l, y_bar);
  (sum(i < t, m < 4 | if i > k { abs(x_bar[0, i, m]) } else { 0.0 }),
   any(m < 4 | x_bar[0, k, m] != 0))
}
fn t_linear(x: real[a, b, 3], l: Linear[3, 2]) -> real[a, b, 2] = linear(x, l);
fn t_embedding(y: int[a, 2], l: Embedding[4, 3]) -> real[a, 2, 3] = embedding(y % 4, l);
fn t_layer_norm(x: real[a, 5], l: LayerNorm[5]) -> real[a, 5] = layer_norm(x, l);
fn t_rms_norm(x: real[a, 5], l: RmsNorm[5]) -> real[a, 5] = rms_norm(x, l);
fn t_group_norm(x: real[a, 2, 3, 4], l: LayerNorm[4]) -> real[a, 2, 3, 4] = group_norm(x, l, 2);
fn t_batch_norm(x: real[4, 3, 2], l: BatchNorm[2], s: BatchStats[2]) -> real[4, 3, 2] =
  batch_norm(x, l, s).0;
fn t_batch_eval(x: real[4, 3, 2], l: BatchNorm[2], s: BatchStats[2]) -> real[4, 3, 2] =
  batch_norm_eval(x, l, s);
fn t_rnn(x: real[2, 4, 3], l: Rnn[3, 2]) -> real[2, 4, 2] = rnn(x, l);
fn t_lstm(x: real[2, 4, 3], l: Lstm[3, 2]) -> real[2, 4, 2] = lstm(x, l);
fn t_gru(x: real[2, 4, 3], l: Gru[3, 2]) -> real[2, 4, 2] = gru(x, l);

export dropped, skew, init(Net) as start;
export vjp(bent), vjp(smooth), vjp(distances, y), grad(t_hinge, y), grad(probable, x, p);
export grad(t_bce, x, p), grad(t_kl, x, y), grad(t_kl_normal, mu, logvar), grad(t_r2, y, t);
export vjp(labelled, x), vjp(drop, x);
export vjp(images, x, l), vjp(lines, x, l), vjp(causal, x, l), vjp(t_linear, x, l);
export vjp(t_embedding, l), vjp(t_layer_norm, x, l), vjp(t_rms_norm, x, l);
export vjp(t_group_norm, x, l), vjp(t_batch_norm, x, l), vjp(t_batch_eval, x, l, s);
export vjp(t_rnn, x, l), vjp(t_lstm, x, l), vjp(t_gru, x, l);
N
accept "$NNCC" check m.nn

x='[-2, -0.5, 0.5, 2]'
near '{"bent_0": [0, 0, 0.5, 2], "bent_1": [-0.02, -0.005, 0.5, 2], "bent_2": [-1, -0.25, 0.5, 2], "bent_3": [-0.8646647167633873, -0.3934693402873666, 0.5, 2], "bent_4": [-1.7293294335267746, -0.7869386805747332, 0.5, 2]}' bent x="$x"
near '{"smooth_0": [-1.520166468595695, -0.6917581878028713, 0.5253504936777402, 2.101401974710961], "smooth_1": [-0.04550026389635842, -0.15426876936299344, 0.34573123063700656, 1.9544997361036416], "smooth_2": [-0.04540230591222494, -0.15428599017485606, 0.34571400982514394, 1.954597694087775], "smooth_3": [-0.2384058440442351, -0.1887703343990727, 0.3112296656009273, 1.7615941559557646]}' smooth x="$x"
# What is far from 0 neither overflows nor is it undefined.
near '{"far_0": 1000, "far_1": 1050.7009873554805, "far_2": 1000, "far_3": 1000, "far_4": 1000}' far x=1000
near '{"far_0": -1, "far_1": -1.7580993408473766, "far_2": 0, "far_3": 0, "far_4": 0}' far x=-1000
# Of equal ones the adjoint is given out once, never twice.
near '{"d_x": 0.5, "d_y": 0.5}' 'grad(tie, x, y)' x=1 y=1
near '{"d_x": [0, 0.5, 0.5, 0]}' 'grad(ties)' x='[1, 3, 3, 2]'
near '{"d_x": [[[[0.3333333333333333], [0.3333333333333333]], [[0], [0.3333333333333333]]]]}' 'grad(pooled)' x='[[[[1], [1]], [[0], [1]]]]'

y='[1, -2, 0.5, 3]' t='[0.5, -2, 2.5, -1]'
near '{"distances_0": 5.0625, "distances_1": 1.625, "distances_2": 1.28125, "distances_3": 2.40625}' distances y="$y" t="$t"
near '{"t_hinge": 0.375}' t_hinge y="$y" t='[1, -1, -1, 1]'
L='[[1, 2, 0.5], [-1, 0, 3]]'
near '{"labelled_0": 2.265126343932687, "labelled_1": 2.265126343932687}' labelled x="$L" y='[1, 0]'
near '{"labelled_0": 1000, "labelled_1": 1000}' labelled x='[[0, 1000]]' y='[0]'
near '{"probable": 0.740126343932687}' probable x="$L" p='[[0.2, 0.5, 0.3], [0, 0.1, 0.9]]'
near '{"t_bce": 10.313396566187064}' t_bce x='[1, -2, 30]' p='[1, 0.25, 0]'
near '{"t_bce": 500}' t_bce x='[1000, 1000]' p='[1, 0]'
near '{"t_kl": 0.20342709831442282}' t_kl x="$L" y='[[0, 0, 0], [1, 2, 3]]'
near '{"t_kl": 0}' t_kl x="$L" y="$L"
near '{"t_kl_normal": 1.4169345621868614}' t_kl_normal mu='[[0.5, -1], [0, 2]]' logvar='[[0, 0.3], [-1, 0]]'
near '{"t_kl_normal": 0}' t_kl_normal mu='[[0]]' logvar='[[0]]'

L='[[1, 2, 0.5, 0], [-1, 0, 3, 0], [4, 3, 2, 1], [0, 1, 2, 3]]'
near '{"t_accuracy": 0.5}' t_accuracy x="$L" y='[1, 2, 1, 0]'
near '{"tops_0": 0.5, "tops_1": 0.75, "tops_2": 1}' tops x="$L" y='[1, 2, 1, 0]'
near '{"t_confusion": [[0, 0, 0, 0.25], [0.25, 0.25, 0, 0], [0, 0, 0.25, 0], [0, 0, 0, 0]]}' t_confusion x="$L" y='[1, 2, 1, 0]'
near '{"t_r2": -0.7608695652173914}' t_r2 y="$y" t="$t"
near '{"t_r2": 1}' t_r2 y="$t" t="$t"

# Standard deviations, and what is drawn by them.
near '{"sizes_0": 0.5, "sizes_1": 0.408248290463863, "sizes_2": 0.3535533905932738}' sizes n=8 m=4
for size in 'n=1 m=1' 'n=3 m=7' 'n=7 m=3' 'n=40 m=40'; do
    near '{"skew": 0}' skew k=5 $size
done
accept "$NNCC" run m.nn start seed=7
sed 's/[][{},]/ /g; s/"[a-z]*"/\n&/g' out.txt | awk '
    function spread(from, n, want,   i, sum, square) {
        for (i = from; i < from + n; i++) { sum += $i; square += $i * $i }
        sum /= n; square /= n
        # four standard errors of the mean, and of the variance
        if (sum > 4 * want / sqrt(n) || sum < -4 * want / sqrt(n) ||
            square / want ^ 2 - 1 > 4 * sqrt(2 / n) ||
            square / want ^ 2 - 1 < -4 * sqrt(2 / n)) {
            print $1, "mean", sum, "mean square", square, "for", want
            bad = 1 }
        seen++ }
    { of = of == "" || /"(wide|image|line|words|lstm)"/ ? $1 : of }
    /"W"/ && of ~ /wide/ { spread(2, 5000, sqrt(2 / 100)) }
    /"W"/ && of ~ /image/ { spread(2, 720, sqrt(2 / 72)) }
    /"W"/ && of ~ /line/ { spread(2, 400, sqrt(2 / 40)) }
    /"table"/ { spread(2, 2000, 0.02) }
    { name = $1; gsub(/[":]/, "", name) }
    name == "b" && of !~ /lstm/ { for (i = 2; i <= NF; i++) bad = bad || $i != 0 }
    name == "b" && of ~ /lstm/ { for (i = 2; i <= NF; i++)
        if ($i != (i >= 5 && i < 8)) { print "lstm", $0; bad = 1 } }
    END { exit bad || seen != 4 }' >stats.txt || fail "$(cat stats.txt)"

accept "$NNCC" run --real=f64 m.nn dropped n=10000 k=11
awk -F '[:,}]' '{ exit !($2 > 0.97 && $2 < 1.03 && $4 > 0.28 && $4 < 0.32 &&
    $6 < 1e-12) }' out.txt || fail "dropout: $(cat out.txt)"
near '{"kept": [1, -2, 3]}' kept x='[1, -2, 3]' k=4

near '{"all": [[[[22], [26]], [[34], [38]]]]}' all x='[[[[1], [2], [3]], [[4], [5], [6]], [[7], [8], [9]]]]' l='{"W": [[[[1]], [[1]]], [[[1]], [[1]]]], "b": [10]}'
near '{"row": [[[12], [18]]]}' row x='[[[1], [2], [3], [4]]]' l='{"W": [[[2]], [[1]]], "b": [8]}'
x='[[[1, 2, 3, 4], [0, -1, 2, 1], [3, 0, 1, -2], [1, 1, -1, 0]]]'
W='[[1, 0, 0.5, 0], [0, 1, 0, -1], [0.5, 0, 1, 0], [0, 1, 0, 1]]' b='[0.1, 0, -0.2, 0]'
l='{"W": '$W', "b": '$b'}'
for k in 0 1 2 3; do
    near '{"leaks_0": 0, "leaks_1": true}' leaks k=$k x="$x" l='{"q": '"$l"', "k": '"$l"', "v": '"$l"', "out": '"$l"'}'
done
