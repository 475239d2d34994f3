/* budget.c: how much is evaluated, and how deep, at most. */
#include "check/check_internal.h"

enum {
    MAX_WORK = 6000000,  /* expressions evaluated, calls expanded */
    MAX_NODES = 6000000, /* nodes in the graph */
    MAX_NESTING = 3000,  /* evaluations inside evaluations */
};

typedef struct Budget {
    int64_t work; /* done so far */
    int nesting;
    bool over;
} Budget;

static Budget *own(Check *c)
{
    return check_own(c, OWN_budget, sizeof(Budget));
}

int64_t check_most_nodes(const Check *c)
{
    return c->options->work ? c->options->work : MAX_NODES;
}

bool check_budget(Check *c, Span at)
{
    int64_t work = c->options->work ? c->options->work : MAX_WORK;
    Budget *b = own(c);

    if (b->over)
        return false;
    if (b->nesting > MAX_NESTING) {
        check_fail(c, at, "too-deep", "this is nested too deeply");
        check_stop(c);
    } else if (++b->work > work ||
               graph_count(c->graph) > check_most_nodes(c)) {
        check_fail(c, at, "too-large",
                   "this program expands to too many operations\n"
                   "functions are expanded where they are called");
        check_stop(c);
    }
    return !b->over;
}

bool check_enter(Check *c, Span at)
{
    bool good = check_budget(c, at);

    own(c)->nesting += good;
    return good;
}

void check_leave(Check *c) { own(c)->nesting--; }

bool check_has_room(Check *c, int levels)
{
    return own(c)->nesting + levels <= MAX_NESTING;
}

const Value *check_stop(Check *c)
{
    own(c)->over = true;
    return c->error;
}

bool check_stopped(Check *c) { return own(c)->over; }
