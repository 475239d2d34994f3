# max.sh: --max bounds a dimension: a constant workspace, more is refused.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
fn f(x: real[b, 3], w: real[3, 3]) -> real[b] {
  let y = x @ w;
  [1.0, 2.0, 3.0] @ (y * y / sum(y))'
}
export grad(loss, w) as g;
fn loss(x: real[b, 3], w: real[3, 3]) -> real = sum(f(x, w));
N
accept "$NNCC" m.nn --max b=20 -o m.so
grep -q '#define M_G_WORKSPACE [0-9]' m.h || fail "no constant workspace"
cat >driver.c <<'C'
#include "m.h"
int main(void)
{
    static float x[63], w[9] = {1, 2, 3, 4, 5, 6, 7, 8, 10}, d_w[9];
    static NN_ALIGN(64) char workspace[M_G_WORKSPACE + 64];
    for (int i = 0; i < 63; i++)
        x[i] = (float)(i % 5 + 1);
    if (m_g_workspace(20) > M_G_WORKSPACE)
        return 1;
    if (m_g(x, w, 20, d_w, workspace, 0) != NN_OK)
        return 2;
    return m_g(x, w, 21, d_w, workspace, 0) == NN_ERR_DIM ? 0 : 3;
}
C
$CC -std=c11 -Wall -Wextra -Werror driver.c ./m.so -o driver
./driver || fail "driver: $?"
refuse 2 "'q'" "$NNCC" m.nn --max q=20 -o q.so
refuse 2 'b=x' "$NNCC" m.nn --max b=x -o q.so
refuse 1 "dimension 'q'" "$NNCC" m.nn --dim q=3 -o q.so
