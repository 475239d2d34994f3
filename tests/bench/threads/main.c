/* main.c: WHAT MODEL.so FUNCTION THREADS SIZE…: how much faster calls are with
 * threads. The results are to be the same. */
#include "rows.h"

#include "nn.h"

#include "call.h"

int main(int argc, char **argv)
{
    int64_t dims[MOST_DIMS] = {0};
    const nn_function *f;
    nncc_model *m;
    nncc_pool *pool;
    Call one, many;
    Times t[2];

    if (argc < 5 || nncc_open(argv[2], &m) || nncc_find(m, argv[3], &f) ||
        nncc_pool_new(atoi(argv[4]), &pool))
        return 2;
    for (int i = 5; i < argc && i < 5 + MOST_DIMS; i++)
        dims[i - 5] = atoll(argv[i]);
    one = call_of(f, dims, -0.5);
    many = call_of(f, dims, -0.5);
    many.exec = nncc_pool_exec(pool);
    take_turns((Way[]){{run_call, &many}, {run_call, &one}}, 2, t);
    print_row(argv[1], "one thread", t[0], t[1], ">= 1.8");
    for (int i = one.nparam; i < one.n; i++)
        if (memcmp(one.leaf[i], many.leaf[i], one.bytes[i]) != 0)
            return 4;
    nncc_pool_free(pool);
    nncc_close(m);
    return 0;
}
