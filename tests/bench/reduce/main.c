/* main.c: functions of reduce.nn, each beside the one that it should cost like:
 * how many times as long it takes. */
#include "../rows.h"

#include "reduce.h"

#include "../call.h"

typedef struct Pair {
    const char *name, *peer;
    int64_t n, m;
    const char *most; /* times the peer's */
} Pair;

static const Pair pair[] = {
    {"square", "oblong", 256, 256, "<= 1.2"},
    {"most", "total", 512, 256, "<= 2"},
    {"shares", "exponentials", 64, 128, "<= 3.5"},
    {"written", "shares", 64, 128, "<= 1.1"},
    {"causal", "shares", 128, 128, "<= 1.3"},
    {"logsumexps", "halves", 100000, 1, "<= 2"},
    {"nearest_slope", "found_slope", 1000, 500, "<= 1.5"},
    {"known_slope", "any_slope", 1000, 1, "<= 1"},
    {"times_two", "times", 200, 300, "<= 1.3"},
};

static Call call_named(const char *name, const Pair *p)
{
    const nn_function *f = find(reduce_module(), name);
    int64_t dims[MOST_DIMS];

    for (int i = 0; i < f->ndim; i++)
        dims[i] = strcmp(f->dim[i], "n") == 0 ? p->n : p->m;
    return call_of(f, dims, 0.5);
}

int main(void)
{
    char what[64];

    pin();
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        const Pair *p = &pair[i];
        Call ours = call_named(p->name, p), peer = call_named(p->peer, p);

        snprintf(what, sizeof what, "reductions: %s", p->name);
        row(what, p->peer, (Way[]){{run_call, &ours}, {run_call, &peer}}, 2,
            p->most);
    }
    return 0;
}
