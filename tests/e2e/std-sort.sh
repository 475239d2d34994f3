# std-sort.sh: argsort, sort, top_k: that the order is one, whole and stable, for all
# types of numbers, lengths on both sides of where the way of sorting changes, rows
# along any axis, NaN, infinities, both zeros; derivatives.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
# The first of equals and NaN: of few in a loop by comparisons, of any number by going over them.
fn turned(x: real[n, m]) = fold(t < 3, s = x |
  [i < n, j < m | s[i, (j + 1) % m] - where(argmax(s[i]) == j, 1.0, 0) + where(argmin(s[i]) == j, 2.0, 0)]);
fn turned_few(x: real[n, 4]) = turned(x);
fn places(x: real[n, 4]) = ([i | argmax(x[i])], [i | argmin(x[i])]);
# Does b stand in the wrong place behind a, of which the places are p and q.
fn wrong[T](a: T, b: T, p: int, q: int, descending: bool) -> bool {
  let odd = a != a && b == b;
  let less = if descending { a < b } else { a > b };
  let equal = a == b || (a != a && b != b);
  odd || less || equal && p > q
}
# How many neighbours are in the wrong order; how many places are not taken once.
fn faults[T](x: T, n: int, descending: bool) -> int {
  let order = argsort(x, descending = descending);
  let inverse = argsort(order);
  sum(i < n | if i > 0 {
    int(wrong(x[order[i-1]], x[order[i]], order[i-1], order[i], descending))
  } else { 0 }) + sum(i < n | int(order[inverse[i]] != i))
}
# Few values and many ties; or many; and all that is special.
fn some(n: int, of: int) -> real[n] = [i < n | {
  let r = (i64(i) * 7919 + i64(i) * i64(i) * 104729) % i64(of);
  let v = real(r) - real(of) / 2;
  if i % 11 == 3 { nan } else {
    if i % 13 == 5 { inf } else {
      if i % 17 == 6 { -inf } else {
        if i % 7 == 2 { -0.0 } else { if i % 7 == 3 { 0.0 } else { v } } } } }
}];
fn reals(n: int, of: int) -> (int, int) =
  (faults(some(n, of), n, false), faults(some(n, of), n, true));
fn ints(n: int, of: int) -> (int, int, int, int, int, int) {
  let i = [j < n | int((i64(j) * 7919 + i64(j) * i64(j) * 104729) % i64(of)) - of / 2];
  let l = [j < n | i64(i[j]) * 4294967297 * 1000003];
  let u = [j < n | u8(i[j] % 256)];
  (faults(i, n, false), faults(i, n, true), faults(l, n, false), faults(l, n, true),
   faults(u, n, false), faults(u, n, true))
}
# The k first of the whole order; rows of a batch, and columns.
fn firsts(n: int, k: int, of: int) -> (int, int) {
  let x = some(n, of);
  let (v, p) = top_k(x, k);
  let order = argsort(x, descending = true);
  (sum(i < k | int(p[i] != order[i])),
   sum(i < k | int(v[i] != x[order[i]] && x[order[i]] == x[order[i]])))
}
# So few that the others are passed over together: as many stand before each as its
# number says.
fn before(x: real[n], p: int) -> int = sum(j < n | int(x[j] < x[p] || x[j] == x[p] && j < p));
fn best(n: int, of: int) -> (int, int) {
  let x = [i < n | real(i * i * 7 % of)];
  let first = argsort(x)[:7];
  let last = argsort(x, descending = true)[:7];
  (sum(i < 7 | int(before(x, first[i]) != i)), sum(i < 7 | int(before(-x, last[i]) != i)))
}
fn batch(n: int, m: int) -> (int, int, int, int) {
  let A = reshape(some(n * m, 97), [n, m]);
  let B = moveaxis([k < 3, i < n, j < m | A[i, j] + real(k)], 0, 2);
  fn differ(a: int[n, m], b: int[n, m]) -> int = sum([i, j | int(a[i, j] != b[i, j])]);
  (differ(argsort(A), [i, j < m | argsort(A[i])[j]]),
   differ(argsort(A, axis = 0, descending = true),
          [i < n, j | argsort([k < n | A[k, j]], descending = true)[i]]),
   differ(argsort(B, 1)[:, :, 2], argsort(A)),
   differ(argsort(B, axis = -3)[:, :, 0], argsort(A, 0)))
}

fn t_sort(x: real[n]) -> (real[n], real[n]) = (sort(x), sort(x, descending = true));
fn t_ints(x: int[n]) -> (int[n], int[n]) = (sort(x), sort(x, descending = true));
fn t_bytes(x: u8[n]) -> (u8[n], int[n]) = (sort(x), argsort(x, descending = true));
fn t_long(x: i64[n]) -> (i64[n], int[n]) = (sort(x), argsort(x, descending = true));
fn t_top(x: real[n, m], k: int) -> (real[k, m], int[k, m]) = top_k(x, k, axis = 0);
fn t_take(x: real[n, m], i: int[n, k]) -> real[n, k] = take_along_axis(x, i);
fn constant() -> real[4] = sort([3.0, nan, -1, 2]);
fn inside(n: int) -> int[n] = argsort(iota(n), descending = true);
fn guarded(x: real[n], on: bool) -> real[n] = if on { sort(x) } else { x };
fn stepped(x: real[n], t: int) -> real[n] = fold(s < t, y = x | -2 * sort(y));
export reals, ints, firsts, best, batch, t_top, t_sort, guarded, stepped;

# Derivatives: a permutation.
fn weighed(x: real[n]) -> real = sum(i < n | real(i) * sort(x)[i]^3);
fn weighed2(x: real[n, m]) -> real =
  sum([i, j | real(i * i + j) * sort(x, axis = 0)[i, j]^3]) + sum(sin(top_k(x, 2).0));
fn median(x: real[n, m]) -> real[n] = [i | sort(x[i])[m/2]];
export grad(weighed), hessian(weighed) as bent, grad(weighed2), hessian(weighed2) as bent2;
export jacobian(median), jvp(weighed2), vjp(t_take, x), jvp(stepped, x), vjp(stepped, x) as back;
N
accept "$NNCC" check m.nn
for n in 0 1 2 3 63 64 65 66 1000 5000; do
    is '{"reals_0": 0, "reals_1": 0}' reals n=$n of=7
done
for n in 64 65 1000; do
    is '{"reals_0": 0, "reals_1": 0}' reals n=$n of=1
    is '{"reals_0": 0, "reals_1": 0}' reals n=$n of=100003 --real=f64
done
for n in 2 64 65 1000; do
    is '{"ints_0": 0, "ints_1": 0, "ints_2": 0, "ints_3": 0, "ints_4": 0, "ints_5": 0}' \
        ints n=$n of=2000000011
done
for k in 0 1 64; do
    is '{"firsts_0": 0, "firsts_1": 0}' firsts n=64 k=$k of=1009
    is '{"firsts_0": 0, "firsts_1": 0}' firsts n=1000 k=$k of=1009
done
is '{"firsts_0": 0, "firsts_1": 0}' firsts n=1000 k=65 of=11
is '{"firsts_0": 0, "firsts_1": 0}' firsts n=1000 k=1000 of=11
for n in 7 31 32 33 39 64 1000; do
    is '{"best_0": 0, "best_1": 0}' best n=$n of=1009
    is '{"best_0": 0, "best_1": 0}' best n=$n of=5
done
refuse 1 'index out of range' "$NNCC" run m.nn best n=6 of=5
for shape in 'n=3 m=5' 'n=1 m=1' 'n=0 m=4' 'n=4 m=0' 'n=2 m=100' 'n=100 m=2'; do
    is '{"batch_0": 0, "batch_1": 0, "batch_2": 0, "batch_3": 0}' batch $shape
done
is '{"t_sort_0": ["-inf", -1, 0, -0, 2, 7, "inf", "nan", "nan"], "t_sort_1": ["inf", 7, 2, 0, -0, -1, "-inf", "nan", "nan"]}' \
    t_sort x='["nan", 7, 0, "inf", -0.0, "-inf", 2, "nan", -1]'
is '{"t_ints_0": [-2147483648, -1, 0, 2147483647], "t_ints_1": [2147483647, 0, -1, -2147483648]}' \
    t_ints x='[0, -2147483648, 2147483647, -1]'
is '{"t_bytes_0": [0, 1, 200, 255], "t_bytes_1": [1, 0, 3, 2]}' t_bytes x='[200, 255, 0, 1]'
is '{"t_long_0": [-4294967297, -1, 4294967296, 4294967297], "t_long_1": [1, 3, 0, 2]}' \
    t_long x='[-1, 4294967297, -4294967297, 4294967296]'
is '{"t_top_0": [[3, 2], [1, 1]], "t_top_1": [[1, 0], [0, 1]]}' t_top x='[[1, 2], [3, 1]]' k=2
refuse 1 'index out of range' "$NNCC" run m.nn t_top x='[[1, 2], [3, 1]]' k=3
is '{"t_take": [[2, 2], [3, 4]]}' t_take x='[[1, 2], [3, 4]]' i='[[1, 1], [0, 1]]'
refuse 1 'index out of range' "$NNCC" run m.nn t_take x='[[1, 2], [3, 4]]' i='[[1, 2], [0, 1]]'
is '{"constant": [-1, 2, 3, "nan"]}' constant
is '{"inside": [2, 1, 0]}' inside n=3
is '{"guarded": [1, 2, 3]}' guarded x='[3, 1, 2]' on=true
is '{"stepped": [12, 8, 4]}' stepped x='[3, 1, 2]' t=2
odd='x=[[1, 2, 2, 1], ["nan", 1, 2, 3], [1, "nan", 5, "nan"], [3, 3, 3, 3], ["-inf", -1, "inf", "inf"], [0, -0.0, 0, 0]]'
is '{"places_0": [1, 0, 1, 0, 2, 0], "places_1": [0, 0, 1, 0, 0, 0]}' places "$odd"
for f in turned turned_few; do
    is '{"'$f'": [[5, 1, 4, -1], [3, "nan", 4, 2], ["nan", 2, "nan", 7], [7, 2, 4, 2], ["inf", "-inf", 5, "inf"], [4, -1, 1, -1]]}' $f "$odd"
done
