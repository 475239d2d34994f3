# sums-size.sh: the least code, whose sums have no vectors, loses no more digits
# of long sums, and none of their terms.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
fn total(x: real[n, m]) -> real = sum(x);
fn gram(x: real[n, m]) -> real[m, m] = x' @ x;
fn lookup(t: real[m], q: int[n], x: real[n, m]) -> real = sum(i < n, j < m | t[q[i]] * x[i, j]);
export total, gram, vjp(lookup, t);
N
cat >driver.c <<'C'
#include "m.h"
#include <math.h>
#include <stdio.h>
enum { N = 1400000, M = 3 };
static float x[N * M];
static int32_t q[N];
static NN_ALIGN(64) char work[1 << 25];
static int differs(const char *what, double got, double want, double most)
{
    if (fabs(got - want) <= most * want)
        return 0;
    printf("%s: %.9g, expected %.9g\n", what, got, want);
    return 1;
}
int main(void)
{
    float t[M] = {0}, t_bar[M], y, g[M * M];
    int bad = 0;
    for (int i = 0; i < N * M; i++) {
        x[i] = 0.1f;
        q[i / M] = i / M % 2;
    }
    if (m_gram_workspace(N, M) > sizeof work ||
        m_lookup_vjp_workspace(M, N) > sizeof work ||
        m_total_workspace(N, M) > sizeof work)
        return 3;
    if (m_gram(x, N, M, g, work, 0) ||
        m_lookup_vjp(t, q, x, 1, M, N, &y, t_bar, work, 0))
        return 2;
    m_total(x, N, M, &y, work, 0);
    bad += differs("total", y, 0.1f * (double)(N * M), 5e-7);
    for (int i = 0; i < M * M; i++)
        bad += differs("gram", g[i], 0.1f * (double)0.1f * N, 3e-6);
    for (int i = 0; i < 2; i++)
        bad += differs("lookup", t_bar[i], 0.1f * (double)(N / 2 * M), 5e-7);
    return bad || t_bar[2] != 0;
}
C
for effort in s 2; do
    accept "$NNCC" m.nn -O$effort -o m.so
    $CC -std=c11 -Wall -Wextra -Werror driver.c ./m.so -lm -o driver
    ./driver || fail "-O$effort: $?"
done
