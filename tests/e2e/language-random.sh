# language-random.sh: keys and what is drawn: the same for every CPU, in the
# backward pass, and by the reference evaluator.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
struct State { k: key, n: int, x: real[3] }
fn draws(k: key, n: int) -> (real[n], real[n], bool[n]) {
  let (a, b) = split(k);
  (uniform(a, [n]), normal(b, [n]), bernoulli(k, 0.25, [n]))
}
fn one(k: key) -> (real, real, bool) = (uniform(k), normal(k), bernoulli(k, 0.5));
fn same(k: key) -> bool = uniform(split(k).1) == uniform(split(k, 7)[1]);
fn keys(k: key, n: int) -> key[n] = split(k, n);
fn rows(ks: key[n], m: int) -> real[n, m] = [i < n | uniform(ks[i], [m])];
fn row(k: key, m: int) -> real[m] = uniform(k, [m]);
fn rates(k: key, p: real[n]) -> bool[n] = bernoulli(k, p);
fn dropout(k: key, x: real[n], p: real) -> real[n] =
  where(bernoulli(k, p, [n]), x / p, 0);
fn loss(k: key, x: real[n]) -> real = sum(dropout(k, x, 0.5) ^ 2);
fn kept(k: key, x: real[n]) -> int = sum(int(bernoulli(k, 0.5, [n])));
fn hidden(k: key, x: real[n]) -> real = sum(remat(dropout)(k, tanh(x), 0.5) ^ 2);
fn step(s: State) -> State {
  let (now, next) = split(s.k);
  State(k = next, n = s.n + 1, x = s.x + normal(now, [3]))
}
fn seeded(i: int) -> real = uniform(key(i));
fn walk(k: key, n: int) -> real = fold(t < n, h = 0.0, s = k | {
  let (a, b) = split(s);
  (h + normal(a), b)
}).0;
export draws, one, keys, rows, row, rates, dropout, step, seeded, walk;
export grad(loss, x) as d_loss;
export grad(hidden, x) as d_hidden;
N
accept "$NNCC" check m.nn
is '{"same": true}' same k=123
is '{"keys": [6536551687978447178, 6212082274085407400]}' keys k=42 n=2
is '{"rates": [false, true]}' rates k=5 p='[0, 1]'
is '{"walk": -1.030918}' walk k=3 n=1
is '{"seeded": 0.4532984}' seeded i=3

# A row of keys draws what each key draws.
"$NNCC" run m.nn row k=6536551687978447178 m=4 >row.json
"$NNCC" run m.nn rows ks='[6536551687978447178, 7]' m=4 >rows.json
row=$(sed 's/.*\(\[[^]]*\]\).*/\1/' row.json)
grep -qF "$row" rows.json || fail "rows.json: $(cat rows.json), row: $row"

# The mask of the backward pass is that of the forward pass.
accept "$NNCC" run m.nn dropout k=9 x='[1,1,1,1,1,1,1,1]' p=0.5
sed 's/dropout/d_x/; s/2/8/g' out.txt >want.txt
accept "$NNCC" run m.nn d_loss k=9 x='[1,1,1,1,1,1,1,1]'
cmp -s out.txt want.txt || fail "$(cat out.txt), expected $(cat want.txt)"

# The same bits at every level of CPU; of the normal distribution, whose logarithm and
# cosine have products with sums, the same but for rounding.
cat >driver.c <<'N'
#include "m.h"
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    enum { N = 1003 };
    static float u[N], z[N];
    static uint8_t b[N];
    static uint64_t k[N];
    size_t n = m_draws_workspace(N), w = m_keys_workspace(N);
    void *work = aligned_alloc(64, (n > w ? n : w) / 64 * 64 + 64);
    if (m_draws(0x123456789abcdef0, N, u, z, b, work, NULL) != NN_OK ||
        m_keys(0xfedcba9876543210, N, k, work, NULL) != NN_OK)
        return 1;
    for (int i = 0; i < N; i++)
        printf("%a %d %llx %.9g\n", u[i], b[i], (unsigned long long)k[i], z[i]);
    free(work);
    return 0;
}
N
all=
for cpu in x86-64 x86-64-v2 x86-64-v3 x86-64-v4; do
    runs_here $cpu && all=${all:+$all,}$cpu
done
for cpu in $(echo $all | tr , ' ') $all native; do
    accept "$NNCC" m.nn --cpu=$cpu -o m.so
    accept "$NNCC" m.nn -o m.h
    accept $CC -std=c11 -I. driver.c ./m.so -o driver
    ./driver >"$cpu.txt" || fail "the driver, $cpu"
    paste -d ' ' x86-64.txt "$cpu.txt" | awk '{ off = $4 - $8
        if ($1 " " $2 " " $3 != $5 " " $6 " " $7 || off * off > 1e-12 * (1 + $4 * $4)) exit 1 }' ||
        fail "other numbers with --cpu=$cpu"
done

# Initial values of a stack: each element draws its own, all by one computation,
# in stacks inside of stacks too.
cat >m.nn <<'N'
struct A { w: real[2] ~ normal(0, 1), z: real = 3 }
struct B { a: A, b: real ~ uniform(0, 1), c: [A; 2] }
struct S { s: [B; 3] }
struct Deep { s: [A; 100000] }
fn own(s: S) -> bool = sum(i < 3, j < 3 | int(s.s[i].b == s.s[j].b)) == 3
  && sum(i < 3, j < 2 | int(s.s[i].c[j].w[0] == s.s[1].c[0].w[0])) == 1
  && sum(i < 3 | int(s.s[i].a.w[0] == s.s[i].c[0].w[0])) == 0;
fn mean_and_variance(d: Deep) -> (real, real) {
  let w = [i < 100000, j < 2 | d.s[i].w[j]];
  (mean(w), variance(w))
}
export init(S) as start;
export init(Deep) as deep;
N
accept "$NNCC" check m.nn
accept "$NNCC" run m.nn start seed=5
sed 's/^{"[a-z]*": //; s/}$//' out.txt >s.json
is '{"own": true}' own s=@s.json
grep -q '"z": \[\[3, 3\], \[3, 3\], \[3, 3\]\]' s.json || fail "s.json: $(cat s.json)"
"$NNCC" run m.nn deep seed=5 | sed 's/^{"[a-z]*": //; s/}$//' >d.json
accept "$NNCC" run m.nn mean_and_variance d=@d.json
grep -q '0": -\?0\.00.*1": \(1\.00\|0\.99\)' out.txt || fail "not N(0, 1): $(cat out.txt)"

# The bits that they are made of: uniform's topmost 53.
cat >m.nn <<'N'
fn bits(k: key) -> i64[3] = random_bits(k, iota(3));
fn drawn(k: key) -> bool = all(i < 3 |
  uniform(k, [3])[i] == real(random_bits(k, i) / i64(2048)) / 9007199254740992 + 0.5);
fn split_off(k: key) -> bool = all(uniform(key(random_bits(k, -1)), [2]) == uniform(split(k).0, [2]));
fn each(k: key[2]) -> bool = random_bits(k, 5)[1] == random_bits(k[1], 5);
N
accept "$NNCC" run m.nn bits k=3 --real=f64
for f in drawn split_off; do is "{\"$f\": true}" $f k=3 --real=f64; done
is '{"each": true}' each k='[1,2]'
