# language-binders.sh: comprehensions and reductions over binders.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use nn;
struct P { a: real, b: real[2] }
fn mul(A: real[n, m], B: real[m, k]) -> real[n, k] = [i, j | sum(l | A[i, l] * B[l, j])];
fn outer2(a: real[n], b: real[m]) -> real[n, m] = [i, j | a[i] * b[j]];
fn total(x: real[n]) -> real = sum(i | x[i]);
fn windows(x: real[n], w: real[p]) -> real[n - p + 1] = [i < n - p + 1 | sum(k | w[k] * x[i + k])];
fn windows2(x: real[n], w: real[3]) -> real[n - 2] = [i < n - 2 | sum(x[i : i + 3] * w)];
fn patches(x: real[n, m], w: real[p, q]) -> real[n - p + 1, m - q + 1] =
  [i < n - p + 1, j < m - q + 1 | sum(k, l | x[i + k, j + l] * w[k, l])];
fn shifted(A: real[n, m]) -> real[n - 1, m / 2] = [i < n - 1, j < m / 2 | A[i + 1, 2 * j]];
fn diagonal(A: real[n, n]) -> real[n] = [i | A[i, i]];
fn turned(x: real[n, m]) -> real[m, n] = [j | [i < n | x[n - 1 - i, j]]];
fn project(c: real[n, 3], x: real[m, 3], obs: int[p, 2]) -> real[p] =
  [k < p | sum(c[obs[k, 0]] * x[obs[k, 1]])];
fn err(c: real[3], x: real[3]) -> real = sum(c * x) ^ 2;
fn blocks(c: real[n, 3], x: real[m, 3], obs: int[p, 2]) -> (real[p, 3], real[p, 3]) {
  let g = [i < p | grad(err, c, x)(c[obs[i, 0]], x[obs[i, 1]])];
  ([i < p | g[i].0], [i < p | g[i].1])
}
fn lower(L: real[n, n], x: real[n]) -> real[n] = [i | sum(j < i | L[i, j] * x[j]) + x[i]];
fn packed(l: real[m], x: real[n]) -> real[n] =
  [i < n | sum(j < i + 1 | l[i * (i + 1) / 2 + j] * x[j])];
fn running(x: real[n]) -> (real[n], real[n]) =
  ([i < n | max(j < i + 1 | x[j])], [i < n | mean(j < i + 1 | x[j])]);
fn lowest(x: real[n]) -> int[n] = [i < n | argmin(j < i + 1 | x[j])];
fn before(x: real[n]) -> real[n] = [i < n | if i > 0 { x[i - 1] } else { 0 }];
fn rise(x: real[n]) -> bool[n] = [i < n | i > 0 && x[i] > x[i - 1]];
fn ragged(x: real[n, m], len: int[n]) -> real[n] = [i | sum(j < len[i] | x[i, j])];
fn circular(x: real[n]) -> real[n] = [i < n | x[(i + 1) % n] - x[i]];
fn structs(x: real[n]) -> [P; n] = [i | P(a = x[i], b = [x[i], 2])];
fn total_struct(x: real[n]) -> P = sum(i | P(a = x[i], b = [x[i], 2]));
fn picked(b: [P; n], k: int[m]) -> real[m] = [i | b[k[i]].a + sum(b[k[i]].b)];
fn numbers(n: int) -> (real[n], int[n, 2]) = ([i < n | real(i) / 2], [i < n, j < 2 | i * 10 + j]);
fn nearest(c: real[k, d], p: real[n, d]) -> real = sum(i | min(j | sum(l | (c[j, l] - p[i, l]) ^ 2)));
fn lse(x: real[n, m]) -> real[n] = [i | logsumexp(j | x[i, j])];
fn truth(x: real[n]) -> (bool, bool) = (any(i | x[i] < 0), all(i | x[i] < 0));
fn half(f: fn(real) -> real, x: real[n]) -> real[n] = [i | f(x[i]) / 2];
fn halves(x: real[n]) -> real[n] = half(fn(y) = y * x[0], x);
fn minor(A: real[n, n], k: int) -> real[n - 1, n - 1] =
  [i < n - 1, j < n - 1 | A[i + 1, if j < k { j } else { j + 1 }]];
fn minors(A: real[n, n]) -> real =
  if n == 1 { A[0, 0] }
  else { sum(j < n | (if j % 2 == 0 { 1 } else { -1 }) * A[0, j] * minors(minor(A, j))) };
fn det4(A: real[4, 4]) -> real = minors(A);
fn square(x: real[n]) -> real = sum(i, j | x[i] * x[j] * real(i + j));
export mul, windows, patches, shifted, diagonal, turned, project, blocks, lower, running, before;
export ragged, circular, structs, total_struct, picked, numbers, nearest, lse, det4;
export grad(square);
export grad(nearest, c, p) as nearest_grad;
export vjp(lower, L, x) as lower_vjp;
export vjp(windows, x, w) as windows_vjp;
export vjp(patches, x, w) as patches_vjp;
export jvp(patches, x, w) as patches_jvp;
export vjp(running) as running_vjp;
export vjp(mul, A, B) as mul_vjp;
export vjp(circular) as circular_vjp;
export vjp(project, c, x) as project_vjp;
export vjp(ragged) as ragged_vjp;
export vjp(halves) as halves_vjp;
export vjp(diagonal) as diagonal_vjp;
export vjp(before) as before_vjp;
export grad(det4);
N
accept "$NNCC" m.nn
is '{"mul": [[1, 3], [3, 7]]}' mul A='[[1,2],[3,4]]' B='[[1,1],[0,1]]'
is '{"outer2": [[1, 2, 3], [2, 4, 6]]}' outer2 a='[1,2]' b='[1,2,3]'
is '{"total": 6}' total x='[1,2,3]'
is '{"total": 0}' total x='[]'
is '{"windows": [7, 10, 13]}' windows x='[1,2,3,4,5]' w='[1,0,2]'
is '{"windows2": [7, 10, 13]}' windows2 x='[1,2,3,4,5]' w='[1,0,2]'
is '{"patches": [[-4, -4], [-4, -4]]}' patches x='[[1,2,3],[4,5,6],[7,8,9]]' w='[[1,0],[0,-1]]'
is '{"shifted": [[6, 8], [11, 13]]}' shifted A='[[1,2,3,4,5],[6,7,8,9,10],[11,12,13,14,15]]'
is '{"diagonal": [1, 4]}' diagonal A='[[1,2],[3,4]]'
is '{"turned": [[4, 1], [5, 2], [6, 3]]}' turned x='[[1,2,3],[4,5,6]]'
is '{"project": [6, 8, 15]}' project c='[[1,2,3],[4,5,6]]' x='[[1,1,1],[2,0,0]]' obs='[[0,0],[1,1],[1,0]]'
is '{"blocks_0": [[12, 12, 12], [32, 0, 0]], "blocks_1": [[12, 24, 36], [64, 80, 96]]}' blocks c='[[1,2,3],[4,5,6]]' x='[[1,1,1],[2,0,0]]' obs='[[0,0],[1,1]]'
is '{"lower": [1, 4]}' lower L='[[1,2],[3,4]]' x='[1,1]'
is '{"packed": [1, 5, 15]}' packed l='[1,2,3,4,5,6]' x='[1,1,1]'
is '{"running_0": [2, 2, 3], "running_1": [2, 1.5, 2]}' running x='[2,1,3]'
is '{"lowest": [0, 1, 1]}' lowest x='[2,1,3]'
is '{"before": [0, 1, 2]}' before x='[1,2,3]'
is '{"rise": [false, true, false]}' rise x='[1,3,2]'
# Rows of few numbers that end early, in vectors as long as a row: of what is below 0,
# what is not there would be the largest.
for q in 3 5 6; do
    echo "fn top_$q(x: real[4, $q], n: int[4]) -> real[4] =
        max([i < 4, j < $q | if j < n[i] { x[i, j] } else { -1 / 0.0 }], axis = 1);
    fn all_$q(x: real[4, $q], n: int[4]) -> real[4] = [i < 4 | sum(j < $q | if j < n[i] { x[i, j]^2 } else { 0 })];
    export top_$q, all_$q;"
done >short.nn
accept "$NNCC" check short.nn
is '{"ragged": [1, 7]}' ragged x='[[1,2],[3,4]]' len='[1,2]'
is '{"circular": [1, 2, -3]}' circular x='[1,2,4]'
is '{"structs": {"a": [1, 2], "b": [[1, 2], [2, 2]]}}' structs x='[1,2]'
is '{"total_struct": {"a": 3, "b": [3, 4]}}' total_struct x='[1,2]'
is '{"picked": [9, 4, 9]}' picked b='{"a":[1,2],"b":[[1,2],[3,4]]}' k='[1,0,1]'
is '{"numbers_0": [0, 0.5, 1], "numbers_1": [[0, 1], [10, 11], [20, 21]]}' numbers n=3
is '{"nearest": 2}' nearest c='[[0,0],[1,1]]' p='[[1,0],[1,2],[0,0]]'
is '{"d_c": [[-1, -1], [1, -3]]}' 'grad(nearest)' c='[[0,0],[1,1]]' p='[[1,0],[1,3],[0,1]]'
is '{"lse": [0.6931472, 1.6931472]}' lse x='[[0,0],[1,1]]'
is '{"truth_0": true, "truth_1": false}' truth x='[1,-1]'
is '{"halves": [4.5, 6]}' halves x='[3,4]'
is '{"det4": 50}' det4 A='[[2,0,1,0],[1,3,0,0],[0,1,4,0],[0,0,0,2]]'
is '{"d_x": [16, 28, 40]}' 'grad(square)' x='[1,2,3]'
accept "$NNCC" check m.nn

# What a branch that is not chosen would read need not be there, not even where
# there is nothing to read at all.
cat >m.nn <<'N'
fn at(x: real[n], c: bool[k], p: int[k]) -> real[k] = [i < k | if c[i] { x[p[i]] } else { 7 }];
fn within(x: real[n], c: bool[k], d: bool[m], p: int[k]) -> real[m, k] =
  [j < m | if d[j] { at(x, c, p) } else { zeros([k]) }];
fn runs(x: real[n], c: bool[k], p: int[k]) -> real[k] =
  [i < k | if c[i] { fold(t < 2, s = 0 | s + x[p[i] + t]) } else { 7 }];
fn total(x: real[n], c: bool[k], p: int[k]) -> real = sum(at(x, c, p) ^ 2);
export at, within, runs;
export grad(total);
N
is '{"at": [7, 1]}' at x='[1]' c='[false,true]' p='[9,0]'
is '{"at": [7, 7]}' at x='[]' c='[false,false]' p='[0,-5]'
refuse 1 'index out of range' "$NNCC" run m.nn at x='[]' c='[false,true]' p='[0,0]'
refuse 1 'index out of range' "$NNCC" run m.nn at x='[]' c='[false,true]' p='[0,-2147483648]'
is '{"within": [[0, 0], [7, 7]]}' within x='[]' c='[false,false]' d='[false,true]' p='[0,0]'
is '{"within": [[0, 0], [0, 0]]}' within x='[]' c='[false,true]' d='[false,false]' p='[0,0]'
refuse 1 'index out of range' "$NNCC" run m.nn within x='[]' c='[false,true]' d='[false,true]' p='[0,0]'
is '{"runs": [7, 7]}' runs x='[]' c='[false,false]' p='[0,0]'
is '{"d_x": []}' 'grad(total)' x='[]' c='[false,false]' p='[0,0]'
accept "$NNCC" check m.nn

# A sum over what belongs to an index is made in one pass, each term added to
# its sum; a place outside is none. So many sums as terms take no time.
cat >m.nn <<'N'
fn rows(q: int[e], v: real[e, d], n: int) -> real[n, d] =
  [i < n, k < d | sum(j < e | if q[j] == i { v[j, k] } else { 0 })];
fn count(q: u8[e], n: int) -> int[n] = [i < n | sum(j < e | if int(q[j]) == i { 1 } else { 0 })];
fn weighted(q: int[e], v: real[e, d], w: real[e], n: int) -> real[d, n] =
  [k < d, i < n | sum(j < e | w[j] * (if q[j] == i && v[j, k] > 0 { v[j, k] } else { 0 }))];
fn total(q: int[e, h], v: real[e, h], n: int) -> real[n] =
  [i < n | sum(j < e, l < h | where(i == q[j, l], v[j, l], 0))];
fn each(q: int[e, h], v: real[e, h], n: int) -> real[e, n] =
  [j < e, i < n | sum(l < h | if q[j, l] == i { v[j, l] } else { 0 })];
fn product(q: int[e], v: real[e, d], n: int) -> real[n, d] = onehot(q, n)' @ v;
fn known(q: int[e], n: int) -> bool[e] = [j < e | any(i < n | q[j] == i)];
fn loss(q: int[e], v: real[e, 1], w: real[e], n: int) -> real =
  sum(weighted(q, v, w, n)^2) + sum(rows(q, v, n)^3) + sum(each([j < e, l < 1 | q[j]], v, n)^2);
export rows, count, weighted, total, each, product, known;
export grad(loss, v, w) as d_loss;
N
q='q=[2,-1,0,3,2]'
is '{"rows": [[3], [0], [6]]}' rows "$q" v='[[1],[2],[3],[4],[5]]' n=3
is '{"rows": []}' rows "$q" v='[[1],[2],[3],[4],[5]]' n=0
is '{"count": [0, 1, 2]}' count q='[2,200,1,2]' n=3
is '{"weighted": [[3, 0, 11]]}' weighted "$q" v='[[1],[2],[3],[-4],[5]]' w='[1,1,1,1,2]' n=3
is '{"total": [3, 0, 5]}' total q='[[0,2],[-3,0]]' v='[[1,5],[4,2]]' n=3
is '{"each": [[1, 0, 5], [2, 0, 0]]}' each q='[[0,2],[-3,0]]' v='[[1,5],[4,2]]' n=3
is '{"product": [[3], [0], [6]]}' product q='[2,0,2]' v='[[1],[3],[5]]' n=3
refuse 1 'index out of range' "$NNCC" run m.nn product q='[3]' v='[[1]]' n=3
is '{"known": [true, false, true, false, true]}' known "$q" n=3
accept "$NNCC" check m.nn
accept "$NNCC" m.nn --dump=kernels
[ "$(grep -c ' += ' out.txt)" -ge 8 ] || fail 'sums by an index are no scatters'

# Bounds that are data: how far such an index goes is what it is used on, where
# that is at all its values; whether it does is checked.
cat >m.nn <<'N'
fn spmv(ptr: int[n+1], col: int[z], val: real[z], x: real[m]) -> real[n] =
  [i < n | sum(k < ptr[i+1] - ptr[i] | val[ptr[i]+k] * x[col[ptr[i]+k]])];
fn quad(ptr: int[n+1], col: int[z], val: real[z], x: real[n]) -> real = dot(x, spmv(ptr, col, val, x));
fn pairs(e: real[m], len: int[n]) -> real[n] =
  [b < n | fold(i < len[b] - 1, s = 0 | s + e[i] * e[i+1])];
fn next(e: real[m], len: int[n]) -> real[n] = [b < n | fold(i < len[b] - 1, s = 0 | s + e[i+1])];
fn skips(e: real[m], len: int) -> real =
  fold(i < len, s = 0, k = 0 | (s + (if i > 2 { e[i-3] } else { 1 }), i)).0;
fn apart(x: real[n]) -> real = prod(k | max(j < k + 1 | x[k] * x[j]));
fn strict(x: real[n]) -> real[n] = [k | max(0, max(j < k | x[k] * x[j]))];
export spmv, pairs, next, apart, strict;
export vjp(spmv, val, x) as spmv_vjp;
export grad(quad, val, x) as quad_grad;
export grad(apart) as apart_grad;
export vjp(pairs, e) as pairs_vjp;
N
is '{"spmv": [201, 0, 30]}' spmv 'ptr=[0,2,2,3]' 'col=[0,2,1]' 'val=[1,2,3]' 'x=[1,10,100]'
is '{"spmv": []}' spmv 'ptr=[0]' 'col=[]' 'val=[]' 'x=[1]'
is '{"spmv": [0, 0]}' spmv 'ptr=[0,0,0]' 'col=[]' 'val=[]' 'x=[1]'
is '{"spmv": [201, 0, 30], "val_bar": [1, 100, 30], "x_bar": [1, 9, 2]}' spmv_vjp 'ptr=[0,2,2,3]' 'col=[0,2,1]' \
    'val=[1,2,3]' 'x=[1,10,100]' 'y_bar=[1,2,3]'
is '{"pairs": [2, 20, 0, 0]}' pairs 'e=[1,2,3,4]' 'len=[2,4,1,0]'
is '{"next": [2, 9, 0, 0]}' next 'e=[1,2,3,4]' 'len=[2,4,1,0]'
is '{"pairs": [2, 20, 0, 0], "e_bar": [22, 41, 60, 30]}' pairs_vjp 'e=[1,2,3,4]' 'len=[2,4,1,0]' 'y_bar=[1,10,1,1]'
is '{"apart": 4608}' apart 'x=[2,3,4,2]'
is '{"strict": [0, 6, 12]}' strict 'x=[2,3,4]'
accept "$NNCC" check m.nn
refuse 1 "m.nn:2: index 3 of 'val.ptr.i.*' is not in 0 ... 2" "$NNCC" run m.nn spmv 'ptr=[0,2,2,4]' \
    'col=[0,2,1]' 'val=[1,2,3]' 'x=[1,10,100]'
refuse 1 "m.nn:2: index -1 of 'val.ptr.i.*' is not in 0 ... 2" "$NNCC" run m.nn spmv \
    'ptr=[-1,2,2,3]' 'col=[0,2,1]' 'val=[1,2,3]' 'x=[1,10,100]'
refuse 1 "m.nn:2: index 9 of .* is not in 0 ... 3" "$NNCC" run m.nn spmv 'ptr=[0,9,2,3]' \
    'col=[0,2,1]' 'val=[1,2,3]' 'x=[1,10,100]'
refuse 1 "m.nn:2: index 3 of 'x.col.*' is not in 0 ... 2" "$NNCC" run m.nn spmv 'ptr=[0,2,2,3]' \
    'col=[0,2,3]' 'val=[1,2,3]' 'x=[1,10,100]'
refuse 1 "m.nn:5: index 4 of 'e.i.1.' is not in 0 ... 3" "$NNCC" run m.nn pairs 'e=[1,2,3,4]' \
    'len=[2,5,1,0]'

# Rows that lie anywhere, overlap, are longer than any vector, are empty, go
# backwards: as what asks of every element whether it is in the row. Lanes go
# along the rows.
cat >m.nn <<'N'
struct Rows { b: int[9], len: int[9] }
fn forth(r: Rows, x: real[e], w: real[e]) -> real[9] =
  [i < 9 | sum(k < r.len[i] | x[r.b[i] + k] * w[k])];
fn forth_asked(r: Rows, x: real[e], w: real[e]) -> real[9] =
  [i < 9 | sum(j < e | if r.b[i] <= j && j < r.b[i] + r.len[i] { x[j] * w[j - r.b[i]] } else { 0 })];
fn back(r: Rows, x: real[e], w: real[e]) -> real[9] =
  [i < 9 | sum(k < r.len[i] | x[r.b[i] + r.len[i] - 1 - k] * w[k])];
fn back_asked(r: Rows, x: real[e], w: real[e]) -> real[9] =
  [i < 9 | sum(j < e | if r.b[i] <= j && j < r.b[i] + r.len[i] { x[j] * w[r.b[i] + r.len[i] - 1 - j] } else { 0 })];
fn most(r: Rows, x: real[e], w: real[e]) -> real[9] =
  [i < 9 | max(0, max(k < r.len[i] | x[r.b[i] + k] + w[k])) + sum(k < r.len[i] | x[r.b[i] + k]^2)];
fn most_asked(r: Rows, x: real[e], w: real[e]) -> real[9] =
  [i < 9 | max(0, max(j < e | if r.b[i] <= j && j < r.b[i] + r.len[i] { x[j] + w[j - r.b[i]] } else { -inf })) +
    sum(j < e | if r.b[i] <= j && j < r.b[i] + r.len[i] { x[j]^2 } else { 0 })];
fn table(r: Rows, x: real[e], w: real[e]) -> real[9] {
  let A = [j < e, l < 3 | x[j] * real(l + 1)];
  [i < 9 | sum(l < 3 | sum(k < r.len[i] | A[r.b[i] + k, l] * w[k]))]
}
fn table_asked(r: Rows, x: real[e], w: real[e]) -> real[9] = 6 * forth_asked(r, x, w);
fn loss(f: fn(Rows, real[e], real[e]) -> real[9], r: Rows, x: real[e], w: real[e]) -> real =
  sum(i < 9 | real(i + 1) * f(r, x, w)[i]);
fn slopes(f: fn(Rows, real[e], real[e]) -> real[9], r: Rows, x: real[e], w: real[e]) -> (real[e], real[e]) =
  (grad(fn(y: real[e]) = loss(f, r, y, w))(x), grad(fn(v: real[e]) = loss(f, r, x, v))(w));
fn between(f: fn(Rows, real[90], real[90]) -> real[9], g: fn(Rows, real[90], real[90]) -> real[9]) -> real {
  let r = Rows(b = [0, 40, 3, 41, 88, 90, 17, 0, 5], len = [1, 50, 37, 8, 2, 0, 33, 16, 7]);
  let x = [j < 90 | sin(2 * real(j))];
  let w = [j < 90 | cos(3 * real(j))];
  let (fx, fw) = slopes(f, r, x, w);
  let (gx, gw) = slopes(g, r, x, w);
  max(abs(f(r, x, w) - g(r, x, w))) + max(abs(fx - gx)) + max(abs(fw - gw))
}
fn forth_apart() -> real = between(forth, forth_asked);
fn back_apart() -> real = between(back, back_asked);
fn most_apart() -> real = between(most, most_asked);
fn table_apart() -> real = between(table, table_asked);
export forth_apart, back_apart, most_apart, table_apart, forth;
N
for f in forth back most table; do
    accept "$NNCC" run m.nn --real=f64 ${f}_apart
    awk -F'[:}]' '{ exit !($2 < 1e-12) }' out.txt || fail "$f: $(cat out.txt)"
done

# `same` padding, for a kernel that is odd: only the run knows that.
cat >m.nn <<'N'
fn padded(x: real[n], w: real[p]) -> real[n] {
  let h = (p - 1) / 2;
  let y = pad(x, h, h);
  [i < n | sum(k | w[k] * y[i+k])]
}
fn guarded(x: real[n], w: real[p]) -> real[n] {
  let h = (p - 1) / 2;
  [i < n | sum(k < p | if i + k >= h && i + k < n + h { w[k] * x[i+k-h] } else { 0 })]
}
fn sure(x: real[n], w: real[2*h+1]) -> real[n] {
  let y = pad(x, h, h);
  [i < n | sum(k | w[k] * y[i+k])]
}
export padded, guarded, sure;
export vjp(padded, x, w) as padded_vjp;
export vjp(guarded, x, w) as guarded_vjp;
N
for f in padded guarded sure; do
    is '{"'$f'": [210, 321, 432, 43]}' $f 'x=[1,2,3,4]' 'w=[1,10,100]'
    is '{"'$f'": [1]}' $f 'x=[1]' 'w=[0,0,1,0,0]'
done
for f in padded guarded; do
    is '{"'$f'": [12, 123, 234, 340], "x_bar": [210, 321, 432, 43], "w_bar": [20, 30, 20]}' ${f}_vjp 'x=[1,2,3,4]' 'w=[100,10,1]' \
        'y_bar=[1,2,3,4]'
done
is '{"guarded": [21, 32, 43, 4]}' guarded 'x=[1,2,3,4]' 'w=[1,10]'
refuse 1 "m.nn:4: index 4 of 'y.i.k.' is not in 0 ... 3" "$NNCC" run m.nn padded 'x=[1,2,3,4]' \
    'w=[1,10]'
accept "$NNCC" check m.nn

# Below the first element is below it for large sizes too.
cat >m.nn <<'N'
fn f(x: real[n+4]) -> real[n] = [i < n | x[3-i]];
export f;
N
is '{"f": [4, 3, 2, 1]}' f 'x=[1,2,3,4,5,6,7,8]'
refuse 1 "m.nn:1: index -1 of 'x.3-i.' is not in 0 ... 8" "$NNCC" run m.nn f 'x=[1,2,3,4,5,6,7,8,9]'

# Reductions over many indices count, divide and find as over few.
cat >m.nn <<'N'
fn average(x: real[2, 2]) -> real = mean(a < 1, b < 1, c < 1, d < 1, e < 1, f < 1, g < 1, h < 1, i, j | x[i, j]);
fn place(x: real[2, 3]) -> int = argmax(a < 1, b < 1, c < 1, d < 1, e < 1, f < 1, g < 1, h < 1, i, j | x[i, j]);
fn below(x: real[n], k: int) -> real = mean(i < k, j < 2 | x[i]);
export average, place, below;
export grad(average);
N
is '{"average": 2.5}' average 'x=[[1,2],[3,4]]'
is '{"d_x": [[0.25, 0.25], [0.25, 0.25]]}' average_grad 'x=[[1,2],[3,4]]'
is '{"place": 4}' place 'x=[[1,2,3],[4,9,5]]'
is '{"below": 1.5}' below 'x=[1,2,3,4]' k=2
