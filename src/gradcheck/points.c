/* points.c: arguments to check a function at: drawn, given, or edges. */

#include "gradcheck/internal.h"

#include <math.h>
#include <string.h>

enum { MAX_ELEMENTS = 1 << 24 /* of a function's arguments and results */ };

/* How arguments are drawn. */
typedef enum Draw {
    DRAW_normal,
    DRAW_positive, /* 0.1 … 1.1 */
    DRAW_small,    /* 0.1 · normal */
    DRAW_large,    /* 1 … 11 */
    NDRAWS
} Draw;

/* The last that is meant for it. */
static GradcheckRange *range_of(Points *ps, const char *name)
{
    GradcheckRange *r = ps->o->range;

    for (int i = ps->o->nrange - 1; i >= 0; i--)
        if (!r[i].name || !strcmp(r[i].name, name))
            return &r[i];
    return NULL;
}

/* Random numbers */

/* Uniform in (0, 1). */
static double uniform(Points *ps)
{
    return ((double)(nncc_rng_next(&ps->rng) >> 11) + 0.5) * 0x1p-53;
}

/* Box and Muller's. */
double points_normal(Points *ps)
{
    double r = sqrt(-2 * log(uniform(ps)));

    return r * cos(6.283185307179586 * uniform(ps));
}

static double draw(Points *ps, Draw how)
{
    switch (how) {
    case DRAW_normal:
        return points_normal(ps);
    case DRAW_positive:
        return 0.1 + uniform(ps);
    case DRAW_small:
        return 0.1 * points_normal(ps);
    case DRAW_large:
        return 1 + 10 * uniform(ps);
    case NDRAWS:
        break;
    }
    return 0;
}

/* Instances */

Instance instance_new(Points *ps, const nn_function *f)
{
    Instance s = {.f = f, .nparam = nncc_param_leaves(f)};

    s.nleaf = s.nparam + nncc_result_leaves(f);
    s.leaf = NEWN(ps->arena, nncc_tensor *, s.nleaf + 1);
    s.dims = NEWN(ps->arena, int64_t, f->ndim + 1);
    return s;
}

void instance_free(Instance *s)
{
    for (int i = 0; i < s->nleaf; i++) {
        nncc_tensor_free(s->leaf[i]);
        s->leaf[i] = NULL;
    }
}

int instance_call(Points *ps, Instance *s)
{
    return nncc_call(ps->model, s->f, s->leaf, s->dims, NULL);
}

const nncc_tensor *instance_result(const Instance *s, int result, int k)
{
    int own = s->f->result[result]->in_place;

    return s->leaf[k + (own >= 0 ? nncc_param_leaf(s->f, own)
                                 : nncc_result_leaf(s->f, result))];
}

static bool finite_results(const Instance *s)
{
    for (int i = 0; i < s->f->nresult; i++)
        for (int k = 0; k < s->f->result[i]->nleaf; k++) {
            const nncc_tensor *t = instance_result(s, i, k);
            int64_t n = tensor_elements(t);
            for (int64_t j = 0; j < n; j++)
                if (!isfinite(tensor_get(t, j)))
                    return false;
        }
    return true;
}

static const nn_leaf *param_leaf(const nn_function *f, int leaf)
{
    int i = 0;

    for (; leaf >= f->param[i]->nleaf; i++)
        leaf -= f->param[i]->nleaf;
    return f->param[i]->leaf[leaf];
}

static int count_axes(int n, const nn_port *const *port)
{
    int axes = 0;

    for (int i = 0; i < n; i++)
        for (int k = 0; k < port[i]->nleaf; k++)
            axes += port[i]->leaf[k]->rank;
    return axes;
}

/* Adds the elements of leaves of these sizes to *n; false: too many. */
static bool add_elements(int nport, const nn_port *const *port,
                         const int64_t **size, int64_t *n)
{
    for (int i = 0; i < nport; i++)
        for (int k = 0; k < port[i]->nleaf; k++) {
            int64_t count = 1;
            for (int a = 0; a < port[i]->leaf[k]->rank; a++, (*size)++) {
                if (**size > 0 && count > MAX_ELEMENTS / **size)
                    return false;
                count *= **size;
            }
            *n += count;
            if (*n > MAX_ELEMENTS)
                return false;
        }
    return true;
}

/* Parameters of the shapes that s->dims give, all zero. */
static bool make_params(Points *ps, Instance *s)
{
    Arena *scratch = arena_new();
    int axes = count_axes(s->f->nparam, s->f->param) +
               count_axes(s->f->nresult, s->f->result);
    int64_t *size = NEWN(scratch, int64_t, axes + 1), n = 0;
    const int64_t *next = size;
    int at = 0;

    s->f->sizes(s->dims, size);
    instance_free(s);
    bool made = add_elements(s->f->nparam, s->f->param, &next, &n) &&
                add_elements(s->f->nresult, s->f->result, &next, &n);
    ps->too_large = !made;
    for (int i = 0; made && i < s->nparam; i++) {
        const nn_leaf *l = param_leaf(s->f, i);
        made =
            nncc_tensor_new(l->dtype, l->rank, size + at, &s->leaf[i]) == NN_OK;
        at += l->rank;
    }
    arena_free(scratch);
    return made;
}

/* Given values */

/* The leaves of all parameters that the caller gives; false: that stops all. */
static bool read_given(Points *ps, const nn_function *f, nncc_tensor **leaf)
{
    for (int i = 0; i < f->nparam && !ps->stopped; i++)
        ps->stopped = !ps->o->given(ps->o->user, f->param[i],
                                    leaf + nncc_param_leaf(f, i));
    return !ps->stopped;
}

static bool same_sizes(const nncc_tensor *a, const nncc_tensor *b)
{
    for (int i = 0; i < a->rank; i++)
        if (a->size[i] != b->size[i])
            return false;
    return a->rank == b->rank;
}

/* Puts what was given in the place of what was made. */
static bool use_given(Points *ps, Instance *s, nncc_tensor **given)
{
    for (int i = 0; i < s->nparam; i++) {
        if (!given[i])
            continue;
        if (!same_sizes(given[i], s->leaf[i])) {
            ps->error = arena_printf(ps->arena,
                                     "%s: the values given do not have sizes "
                                     "that fit together",
                                     s->f->name);
            ps->stopped = true;
            return false;
        }
        tensor_copy(s->leaf[i], given[i]);
    }
    return true;
}

/* Drawing */

typedef struct Drawing {
    Draw how;
    bool zeros; /* integers are 0; else 0 and 1, which fit nearly any table */
    bool edges;
} Drawing;

static double edge_real(Points *ps, const nncc_tensor *t, int64_t k)
{
    static const double edge[] = {0, 0,        -0.0,      1,  -1,
                                  0, INFINITY, -INFINITY, NAN};
    uint64_t r = nncc_rng_next(&ps->rng) >> 32;

    if (k > 0 && r % 5 == 0) /* a tie */
        return tensor_get(t, k - 1);
    if (r % 3 == 0)
        return edge[r / 16 % (r % 16 == 0 ? 9 : 6)];
    return points_normal(ps);
}

static double draw_element(Points *ps, const nncc_tensor *t, int64_t k,
                           Drawing d, const GradcheckRange *r)
{
    uint64_t bits = nncc_rng_next(&ps->rng);

    if (t->dtype == NN_KEY)
        return (double)(bits >> 12);
    if (r && tensor_is_f64(t))
        return r->from + (r->to - r->from) * uniform(ps);
    if (r && r->name)
        return floor(r->from + (r->to - r->from + 1) * uniform(ps));
    if (!tensor_is_f64(t))
        return d.zeros ? 0 : (double)(bits >> 63);
    return d.edges ? edge_real(ps, t, k) : draw(ps, d.how);
}

static void draw_params(Points *ps, Instance *s, Drawing d)
{
    for (int i = 0; i < s->f->nparam; i++) {
        const nn_port *p = s->f->param[i];
        GradcheckRange *r = range_of(ps, p->name);
        if (r)
            r->used = true;
        for (int k = 0; k < p->nleaf; k++) {
            nncc_tensor *t = s->leaf[nncc_param_leaf(s->f, i) + k];
            int64_t n = tensor_elements(t);
            for (int64_t j = 0; j < n; j++)
                tensor_set(t, j,
                           p->has_value && p->nleaf == 1 && !(r && r->name)
                               ? p->value
                               : draw_element(ps, t, j, d, r));
        }
    }
}

/* Sizes of free dimensions: what follows from the values given, the others
 * small, and different from each other. */
enum { DIM_SETS = 5, EDGE_SETS = 4 };
static void choose_dims(Instance *s, nncc_tensor *const *given, bool edges,
                        int set)
{
    static const int size[DIM_SETS][4] = {
        {3, 5, 7, 4},     {4, 8, 6, 2}, {2, 2, 2, 2},
        {16, 16, 16, 16}, {1, 1, 1, 1},
    };
    static const int edge[EDGE_SETS][4] = {
        {2, 3, 4, 1}, {1, 1, 1, 1}, {0, 2, 3, 1}, {0, 0, 0, 0}};

    for (int i = 0; i < s->f->ndim; i++)
        s->dims[i] = -1;
    nncc_solve(s->f, given, s->dims);
    for (int i = 0; i < s->f->ndim; i++)
        if (s->dims[i] < 0)
            s->dims[i] = (edges ? edge[set] : size[set])[i % 4];
}

/* p->base, as the drawing and --at say. */
static bool draw_base(Points *ps, Pair *p, Drawing d, int set)
{
    nncc_tensor **given = NEWN(ps->arena, nncc_tensor *, p->base.nleaf + 1);
    bool good = read_given(ps, p->base.f, given);

    choose_dims(&p->base, given, d.edges, set);
    memcpy(p->d.dims, p->base.dims, sizeof *p->d.dims * (size_t)p->d.f->ndim);
    good = good && make_params(ps, &p->d) && make_params(ps, &p->base);
    if (good)
        draw_params(ps, &p->base, d);
    good = good && use_given(ps, &p->base, given);
    for (int i = 0; i < p->base.nparam; i++)
        nncc_tensor_free(given[i]);
    return good;
}

/* The adjoints of what comes behind the first result are 0. */
static void only_first(Pair *p)
{
    for (int i = p->primal.nparam + 1; i < p->base.nparam; i++) {
        int64_t n = tensor_elements(p->base.leaf[i]);
        for (int64_t k = 0; k < n; k++)
            tensor_set(p->base.leaf[i], k, 0);
    }
}

/* The primal's dimensions are those of the derivative that have their names. */
static void match_dims(Pair *p)
{
    for (int i = 0; i < p->primal.f->ndim; i++) {
        p->primal.dims[i] = -1;
        for (int k = 0; k < p->d.f->ndim; k++)
            if (!strcmp(p->primal.f->dim[i], p->d.f->dim[k]))
                p->primal.dims[i] = p->base.dims[k];
    }
}

static bool primal_params(Pair *p)
{
    for (int i = 0; i < p->primal.nparam; i++) {
        const nncc_tensor *from = p->base.leaf[i];
        if (!p->primal.leaf[i] &&
            nncc_tensor_new(from->dtype, from->rank, from->size,
                            &p->primal.leaf[i]) != NN_OK)
            return false;
        tensor_copy(p->primal.leaf[i], from);
    }
    return true;
}

/* The function at p->base, and what it is the derivative of, if anything. */
static int call_pair(Points *ps, Pair *p)
{
    if (p->first_only)
        only_first(p);
    for (int i = 0; i < p->d.nparam; i++)
        tensor_copy(p->d.leaf[i], p->base.leaf[i]);
    int status = instance_call(ps, &p->d);
    if (status != NN_OK || !p->primal.f)
        return status;
    instance_free(&p->primal);
    match_dims(p);
    return primal_params(p) ? instance_call(ps, &p->primal) : NN_ERR_MEMORY;
}

enum { WAYS = NDRAWS * 8 /* to draw what has one set of sizes */ };

int point_resized(int number) { return ((number - 1) / WAYS + 1) * WAYS; }

int point_next(Points *ps, Pair *p, int number, int *status)
{
    for (; number < DIM_SETS * WAYS && !ps->stopped; number++) {
        int way = number % WAYS;
        Drawing d = {(Draw)(way % NDRAWS), way >= WAYS / 2, false};
        *status = NN_ERR_DIM;
        if (draw_base(ps, p, d, number / WAYS)) {
            *status = call_pair(ps, p);
            if (*status == NN_OK && finite_results(&p->d) &&
                (!p->primal.f || finite_results(&p->primal)))
                return number + 1;
        }
        if (*status == NN_ERR_DIM || *status == NN_ERR_SHAPE)
            number += WAYS - 1 - way;
    }
    return -1;
}

bool point_is_finite(const Pair *p)
{
    bool finite = true;

    for (int i = 0; i < p->base.nparam; i++) {
        const nncc_tensor *t = p->base.leaf[i];
        int64_t n = tensor_is_f64(t) ? tensor_elements(t) : 0;
        for (int64_t j = 0; j < n; j++)
            finite = finite && isfinite(tensor_get(t, j));
    }
    return finite;
}

bool point_again(Points *ps, Pair *p) { return call_pair(ps, p) == NN_OK; }

bool point_shift(Points *ps, Pair *p)
{
    for (int i = 0; i < p->base.nparam; i++) {
        nncc_tensor *t = p->base.leaf[i];
        int64_t n = tensor_is_f64(t) ? tensor_elements(t) : 0;
        for (int64_t j = 0; j < n; j++)
            tensor_set(t, j, tensor_get(t, j) + 1e-2 * points_normal(ps));
    }
    return point_again(ps, p);
}

bool point_edge(Points *ps, Pair *p, int k)
{
    Drawing d = {DRAW_normal, k % 2 == 1, true};

    return draw_base(ps, p, d, k % EDGE_SETS) && call_pair(ps, p) == NN_OK;
}
