# std-arrays.sh: quantiles, places, lines, blocks of prelude.nn, with values of NumPy's
# functions of the same names, and of PyTorch's transposed convolutions and enlarged images.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
fn ranks(x: real[n, m], q: real) -> (real[n], real[m], real[n]) =
  (quantile(x, q), quantile(x, q, axis = 0), median(x));
fn moved(x: real[n, m], s: int) -> (real[n, m], real[n, m]) = (roll(x, s), roll(x, s, axis = 0));
fn moved_ints(x: int[n]) -> int[n] = roll(x, 1);
fn again(x: real[n, m]) -> (real[n, 2*m], real[2*n, m], real[n, 2*m], real[2*n, m]) =
  (repeat(x, 2), repeat(x, 2, axis = 0), tile(x, 2), tile(x, 2, axis = 0));
fn held(x: real[n], lo: real[n]) -> (real[n], real[n]) = (clip(x, lo, 2), clip(x, 0, 1));
fn places(a: real[n], v: real[m]) -> (int[m], int[m]) =
  (searchsorted(a, v), searchsorted(a, v, right = true));
fn line(x: real[m], xs: real[n], ys: real[n]) -> real[m] = interp(x, xs, ys);
fn even(n: int) -> (real[n], real[1]) = (linspace(2, 3, n), linspace(2, 3, 1));
fn triples(a: real[n, 3], b: real[n, 3]) -> real[n, 3] = cross(a, b);
fn blocks(A: real[n, m], B: real[p, q]) -> real[n*p, m*q] = kron(A, B);
fn sums(x: real[n, m], s: int[n]) -> (real[3, m], real[3]) =
  (segment_sum(x, s, 3), segment_sum(x[:, 0], s, 3));
fn sizes(x: real[n, m]) -> (int, int, (int, int), real[n, m]) =
  (size(x), size(x, -1), shape(x), zeros(shape(x)));
fn back2(x: real[b, h, w, 2], k: real[3, 2, 2, 1]) =
  conv2d_transpose(x, k, stride = 2, padding = 1);
fn back1(x: real[b, n, 2], k: real[3, 2, 1]) = conv1d_transpose(x, k, stride = 2);
fn larger(x: real[1, h, w, 1]) = (upsample(x, 2), upsample_bilinear(x, 2));

fn t_ranks(x: real[n, m]) -> real = sum(quantile(x, 0.3)^2) + sum(median(x, axis = 0)^3);
fn t_line(x: real[m], xs: real[n], ys: real[n]) -> real = sum(interp(x, cumsum(exp(xs)), ys)^2);
fn t_sums(x: real[n, m], s: int[n]) -> real = sum(segment_sum(x, (s % 3 + 3) % 3, 3)^2);
fn t_moved(x: real[n, m]) -> real = sum(roll(x, 1) * repeat(x, 2)[:, :m] * tile(x, 3)[:, m:2*m]);
fn t_back(x: real[2, 3, 2, 2], k: real[3, 2, 2, 1]) -> real = sum(back2(x, k)^2);
fn t_larger(x: real[1, 2, 3, 1]) -> real = sum(larger(x).0^2) + sum(larger(x).1^2);
fn t_blocks(A: real[2, 3], B: real[3, 2], a: real[n, 3], b: real[n, 3]) -> real =
  sum(kron(A, B)^3) + sum(cross(a, b)^2);
export grad(t_ranks), grad(t_line), grad(t_sums, x), grad(t_moved), grad(t_back), grad(t_larger);
export grad(t_blocks);
N
accept "$NNCC" check m.nn

near '{"ranks_0": [0.6999999999999997, 1.8499999999999999], "ranks_1": [1.9, 2.9, 4.8, -1.25], "ranks_2": [2, 3]}' ranks x='[[1, 5, 3, -2], [4, 2, 9, 0.5]]' q='0.3'
near '{"ranks_0": [5, 9], "ranks_1": [4, 5, 9, 0.5], "ranks_2": [2, 3]}' ranks x='[[1, 5, 3, -2], [4, 2, 9, 0.5]]' q='1'
near '{"ranks_0": ["nan", 2], "ranks_1": [1, "nan", 3], "ranks_2": ["nan", 9]}' ranks x='[[1, "nan", 3], [2, "inf", 9]]' q='0'
near '{"moved_0": [[-2, 1, 5, 3], [0.5, 4, 2, 9]], "moved_1": [[4, 2, 9, 0.5], [1, 5, 3, -2]]}' moved x='[[1, 5, 3, -2], [4, 2, 9, 0.5]]' s='1'
near '{"moved_0": [[-2, 1, 5, 3], [0.5, 4, 2, 9]], "moved_1": [[4, 2, 9, 0.5], [1, 5, 3, -2]]}' moved x='[[1, 5, 3, -2], [4, 2, 9, 0.5]]' s='-3'
near '{"moved_0": [[3, -2, 1, 5], [9, 0.5, 4, 2]], "moved_1": [[1, 5, 3, -2], [4, 2, 9, 0.5]]}' moved x='[[1, 5, 3, -2], [4, 2, 9, 0.5]]' s='6'
near '{"moved_ints": [3, 1, 2]}' moved_ints x='[1, 2, 3]'
near '{"again_0": [[1, 1, 5, 5, 3, 3, -2, -2], [4, 4, 2, 2, 9, 9, 0.5, 0.5]], "again_1": [[1, 5, 3, -2], [1, 5, 3, -2], [4, 2, 9, 0.5], [4, 2, 9, 0.5]], "again_2": [[1, 5, 3, -2, 1, 5, 3, -2], [4, 2, 9, 0.5, 4, 2, 9, 0.5]], "again_3": [[1, 5, 3, -2], [4, 2, 9, 0.5], [1, 5, 3, -2], [4, 2, 9, 0.5]]}' again x='[[1, 5, 3, -2], [4, 2, 9, 0.5]]'
near '{"held_0": [1, 1.5, 2], "held_1": [0, 1, 1]}' held x='[0, 1.5, 7]' lo='[1, 1, 1]'
near '{"places_0": [0, 0, 1, 3, 3, 4, 4], "places_1": [0, 1, 3, 3, 4, 4, 4]}' places a='[1, 2, 2, 3]' v='[0, 1, 2, 2.5, 3, 4, "nan"]'
near '{"places_0": [0, 0], "places_1": [0, 0]}' places a='[]' v='[0, 1]'
near '{"line": [1, 1, 3, 5, 0.5, -1, -1, "nan"]}' line x='[0, 1, 1.5, 2, 3.5, 4, 9, "nan"]' xs='[1, 2, 4]' ys='[1, 5, -1]'
near '{"line": [7, 7]}' line x='[0, 5]' xs='[3]' ys='[7]'
near '{"even_0": [2, 2.25, 2.5, 2.75, 3], "even_1": [2]}' even n='5'
near '{"triples": [[-5, 10, -5], [0, 0, -1]]}' triples a='[[1, 2, 3], [0, 1, 0]]' b='[[3, 1, -1], [1, 0, 0]]'
near '{"blocks": [[0, 1, 5, 0, 2, 10], [0, 3, 15, 0, 4, 20]]}' blocks A='[[1, 2], [3, 4]]' B='[[0, 1, 5]]'
near '{"sums_0": [[1, 2], [0, 0], [8, 10]], "sums_1": [1, 0, 8]}' sums x='[[3, 4], [1, 2], [5, 6]]' s='[2, 0, 2]'
near '{"sizes_0": 6, "sizes_1": 3, "sizes_2": [2, 3], "sizes_3": [[0, 0, 0], [0, 0, 0]]}' sizes x='[[0, 1, 2], [3, 4, 5]]'
near '{"back2": [[[[-8.5], [-0.5]], [[-23], [-15]], [[1.5], [1.5]], [[-3], [-11]], [[11.5], [3.5]]]]}' back2 x='[[[[-4, -3], [-2, -1]], [[0, 1], [2, 3]], [[4, 5], [6, 7]]]]' k='[[[[-2], [-1.5]], [[-1], [-0.5]]], [[[0], [0.5]], [[1], [1.5]]], [[[2], [2.5]], [[3], [3.5]]]]'
near '{"back1": [[[-1], [1], [-4], [3], [0], [5], [23]]]}' back1 x='[[[0, 1], [2, 3], [4, 5]]]' k='[[[-2], [-1]], [[0], [1]], [[2], [3]]]'
near '{"larger_0": [[[[1], [1], [2], [2], [4], [4]], [[1], [1], [2], [2], [4], [4]], [[3], [3], [5], [5], [-1], [-1]], [[3], [3], [5], [5], [-1], [-1]]]], "larger_1": [[[[1], [1.25], [1.75], [2.5], [3.5], [4]], [[1.5], [1.8125], [2.4375], [2.75], [2.75], [2.75]], [[2.5], [2.9375], [3.8125], [3.25], [1.25], [0.25]], [[3], [3.5], [4.5], [3.5], [0.5], [-1]]]]}' larger x='[[[[1], [2], [4]], [[3], [5], [-1]]]]'
