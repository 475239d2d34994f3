/* bind.c: which parameter of step and evaluate gets what, and the rows of a
 * data set as arguments. */
#include "nn_internal.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The block of the parameter of that name, or -1. */
static int find_block(const nn_trainer *t, const char *name)
{
    for (int i = 0; i < t->nblock; i++)
        if (strcmp(t->block[i].port->name, name) == 0)
            return i;
    return -1;
}

static const nn_setting *find_setting(const nn_trainer *t, const char *name)
{
    for (int i = 0; i < t->nsetting; i++)
        if (strcmp(t->setting[i].name, name) == 0)
            return &t->setting[i];
    return NULL;
}

static bool is_key(const nn_port *p)
{
    const nn_leaf *l = p->leaf;

    return l->dtype == NN_KEY ||
           (l->dtype == NN_I64 && strcmp(p->name, "seed") == 0);
}

static bool is_real(const nn_port *p)
{
    return p->leaf->dtype == NN_F32 || p->leaf->dtype == NN_F64;
}

/* The role of a parameter as far as it shows by itself: features and labels are
 * both NN_ROLE_X as yet. */
static int find_role(const nn_trainer *t, const nn_function *f, int i,
                     int *role)
{
    const nn_port *p = &f->param[i];
    int block = find_block(t, p->name);

    if (block >= 0 && p->nleaf == t->block[block].port->nleaf) {
        *role = NN_ROLE_STATE;
        return NN_OK;
    }
    if (p->nleaf != 1)
        return nn_fail(NN_ERR_SHAPE,
                       "%s: '%s' is of type %s; expected a tensor of data or "
                       "what is trained",
                       f->name, p->name, p->type);
    if (p->leaf->rank > 0)
        *role = NN_ROLE_X;
    else
        *role = is_key(p) ? NN_ROLE_KEY : NN_ROLE_SCALAR;
    return NN_OK;
}

/* Of the data parameters a and b the one that gets the features. */
static int features_of(const nn_function *f, int a, int b)
{
    const nn_port *p = &f->param[a], *q = &f->param[b];

    if (is_real(p) != is_real(q))
        return is_real(p) ? a : b;
    return q->leaf->rank > p->leaf->rank ? b : a;
}

static int find_roles(const nn_trainer *t, nn_binding *b)
{
    const nn_function *f = b->f;
    int data[2], ndata = 0;

    b->x = b->y = b->key = -1;
    for (int i = 0; i < f->nparam; i++) {
        int status = find_role(t, f, i, &b->role[i]);
        if (status)
            return status;
        if (b->role[i] == NN_ROLE_KEY)
            b->key = i;
        if (b->role[i] != NN_ROLE_X)
            continue;
        if (ndata == 2)
            return nn_fail(NN_ERR_SHAPE,
                           "%s: takes '%s', '%s' and '%s' as data; expected "
                           "features and at most one label",
                           f->name, f->param[data[0]].name,
                           f->param[data[1]].name, f->param[i].name);
        data[ndata++] = i;
    }
    if (ndata == 0)
        return nn_fail(NN_ERR_SHAPE, "%s: takes no tensor of data", f->name);
    b->x = ndata == 1 ? data[0] : features_of(f, data[0], data[1]);
    b->x_leaf = nn_param_leaf(f, b->x);
    if (ndata == 2) {
        b->y = data[0] + data[1] - b->x;
        b->y_leaf = nn_param_leaf(f, b->y);
        b->role[b->y] = NN_ROLE_Y;
    }
    return NN_OK;
}

static int set_dims(const nn_trainer *t, nn_binding *b)
{
    for (int k = 0; k < b->f->ndim; k++) {
        const nn_setting *s = find_setting(t, b->f->dim[k]);
        b->dims[k] = -1;
        if (!s)
            continue;
        if (!(s->value >= 0 && s->value <= 1e12) || s->value != floor(s->value))
            return nn_fail(NN_ERR_ARGUMENT,
                           "dimension '%s' set to %g; expected a whole number",
                           s->name, s->value);
        b->dims[k] = (int64_t)s->value;
    }
    return NN_OK;
}

/* The size of an axis, or -1 where only the data tells it. */
static int64_t known_size(const nn_binding *b, int axis)
{
    int k = b->axes.owner[axis];

    if (k == NN_AXIS_CONST)
        return b->axes.size[axis];
    return k >= 0 ? b->dims[k] : -1;
}

static int find_batch(nn_binding *b, const nn_data *d, int64_t batch,
                      int64_t fallback)
{
    int axis = b->axes.first[b->x_leaf];
    int64_t fixed = known_size(b, axis);
    const char *name = b->f->param[b->x].name;

    b->batch_dim = fixed < 0 ? b->axes.owner[axis] : -1;
    if (fixed < 0 && b->batch_dim < 0)
        return nn_fail(NN_ERR_SHAPE,
                       "%s: the first axis of '%s' %s is not the batch",
                       b->f->name, name, b->axes.leaf[b->x_leaf]->shape);
    if (fixed == 0)
        return nn_fail(NN_ERR_SHAPE, "%s: '%s' is for batches of 0 rows",
                       b->f->name, name);
    if (fixed > 0 && batch && batch != fixed)
        return nn_fail(NN_ERR_ARGUMENT,
                       "batches of %lld rows; the model was compiled for %lld",
                       (long long)batch, (long long)fixed);
    b->batch = fixed > 0 ? fixed : batch ? batch : fallback;
    if (fixed < 0 && d->n > 0 && b->batch > d->n)
        b->batch = d->n;
    return NN_OK;
}

static int wrong_features(const nn_binding *b, const nn_data *d, int64_t want,
                          bool multiple)
{
    return nn_fail(NN_ERR_SHAPE,
                   "%s has %lld feature%s in a row; the model's '%s' %s takes "
                   "%s%lld",
                   d->path, (long long)d->nfeature, d->nfeature == 1 ? "" : "s",
                   b->f->param[b->x].name, b->axes.leaf[b->x_leaf]->shape,
                   multiple ? "a multiple of " : "", (long long)want);
}

/* Shape of x: the batch, then axes whose product is the number of features; at
 * most one of them is not known before. */
static int shape_x(const nn_binding *b, const nn_data *d, nn_tensor *x)
{
    int first = b->axes.first[b->x_leaf], unknown = -1;
    int64_t product = 1;

    x->size[0] = b->batch;
    for (int i = 1; i < x->rank; i++) {
        x->size[i] = known_size(b, first + i);
        if (x->size[i] < 0 && unknown < 0) {
            unknown = i;
            continue;
        }
        if (x->size[i] < 0)
            return nn_fail(NN_ERR_SHAPE,
                           "%s: the sizes in '%s' %s do not follow from %lld "
                           "features: set them",
                           b->f->name, b->f->param[b->x].name,
                           b->axes.leaf[b->x_leaf]->shape,
                           (long long)d->nfeature);
        if (x->size[i] && product > INT64_MAX / x->size[i])
            return wrong_features(b, d, INT64_MAX, false);
        product *= x->size[i];
    }
    if (unknown >= 0 && product > 0 && d->nfeature % product == 0)
        x->size[unknown] = d->nfeature / product;
    else if (unknown >= 0 || product != d->nfeature)
        return wrong_features(b, d, product, unknown >= 0);
    return NN_OK;
}

static int shape_y(const nn_binding *b, const nn_data *d, nn_tensor *y)
{
    int first = b->axes.first[b->y_leaf];

    if (d->label == NN_LABEL_NONE)
        return nn_fail(NN_ERR_SHAPE, "%s has no labels; the model takes '%s'",
                       d->path, b->f->param[b->y].name);
    for (int i = 0; i < y->rank; i++)
        y->size[i] = i ? 1 : b->batch;
    for (int i = 1; i < y->rank; i++)
        if (known_size(b, first + i) > 1)
            return nn_fail(NN_ERR_SHAPE,
                           "%s has one label in a row; the model's '%s' %s "
                           "takes more",
                           d->path, b->f->param[b->y].name,
                           b->axes.leaf[b->y_leaf]->shape);
    return NN_OK;
}

/* Dimensions and argument memory from the shapes of x and y. */
static int solve(nn_binding *b, const nn_data *d)
{
    nn_tensor x = {.dtype = b->axes.leaf[b->x_leaf]->dtype,
                   .rank = b->axes.leaf[b->x_leaf]->rank};
    nn_tensor y = {0};
    char anything = 0; /* stands for the data: only shapes are looked at */

    x.data = y.data = &anything;
    int status = shape_x(b, d, &x);
    if (!status && b->y >= 0) {
        y.dtype = b->axes.leaf[b->y_leaf]->dtype;
        y.rank = b->axes.leaf[b->y_leaf]->rank;
        status = shape_y(b, d, &y);
    }
    if (status)
        return status;

    nn_tensor **leaf =
        nn_alloc((size_t)b->axes.nleaf, sizeof(nn_tensor *), "arguments");
    if (!leaf)
        return NN_ERR_MEMORY;
    leaf[b->x_leaf] = &x;
    if (b->y >= 0)
        leaf[b->y_leaf] = &y;
    status = nn_axes_solve(b->f, &b->axes, leaf, b->dims);
    free(leaf);
    if (!status)
        memcpy(b->dims_now, b->dims, (size_t)b->f->ndim * sizeof *b->dims);
    return status;
}

static void store(int dtype, void *at, int64_t i, double v)
{
    switch ((enum nn_dtype)dtype) {
    case NN_BOOL:
        ((uint8_t *)at)[i] = v != 0;
        break;
    case NN_U8:
        ((uint8_t *)at)[i] = (uint8_t)v;
        break;
    case NN_I32:
        ((int32_t *)at)[i] = (int32_t)v;
        break;
    case NN_I64:
        ((int64_t *)at)[i] = (int64_t)v;
        break;
    case NN_F32:
        ((float *)at)[i] = (float)v;
        break;
    case NN_F64:
        ((double *)at)[i] = v;
        break;
    case NN_KEY:
        ((uint64_t *)at)[i] = (uint64_t)v;
        break;
    }
}

/* Can the dtype hold v? Integers must be whole, reals stay finite. */
static bool holds(int dtype, double v)
{
    switch ((enum nn_dtype)dtype) {
    case NN_BOOL:
        return v == 0 || v == 1;
    case NN_U8:
        return v >= 0 && v <= UINT8_MAX && v == floor(v);
    case NN_I32:
        return v >= INT32_MIN && v <= INT32_MAX && v == floor(v);
    case NN_I64:
        return fabs(v) <= 9007199254740992.0 && v == floor(v);
    case NN_F32:
        return fabs(v) <= FLT_MAX;
    case NN_F64:
        return isfinite(v);
    case NN_KEY:
        return false;
    }
    return false;
}

static int fill_scalar(const nn_trainer *t, nn_binding *b, int i)
{
    const nn_port *p = &b->f->param[i];
    const nn_setting *s = find_setting(t, p->name);
    double v = s ? s->value : p->value;

    if (!s && !p->has_value)
        return nn_fail(NN_ERR_ARGUMENT,
                       "%s: '%s' has no default: give it as a setting",
                       b->f->name, p->name);
    if (!holds(p->leaf->dtype, v))
        return nn_fail(NN_ERR_ARGUMENT, "setting '%s' is %g; expected a %s",
                       p->name, v, nn_dtype_name(p->leaf->dtype));
    store(p->leaf->dtype, b->leaf[nn_param_leaf(b->f, i)], 0, v);
    return NN_OK;
}

/* Memory for all leaves but the state's and results in place. */
static int allocate(nn_binding *b)
{
    int leaf = 0;

    for (int i = 0; i < b->f->nparam + b->f->nresult; i++) {
        bool param = i < b->f->nparam;
        const nn_port *p =
            param ? &b->f->param[i] : &b->f->result[i - b->f->nparam];
        bool ours = param ? b->role[i] != NN_ROLE_STATE : p->in_place < 0;
        for (int l = 0; l < p->nleaf; l++, leaf++) {
            size_t bytes = 0;
            if (!ours)
                continue;
            int status = nn_axes_bytes(&b->axes, leaf, &bytes);
            if (status)
                return status;
            b->owned[leaf] = nn_alloc_aligned(bytes, "a batch");
            if (!b->owned[leaf])
                return NN_ERR_MEMORY;
            b->leaf[leaf] = b->owned[leaf];
        }
    }
    return NN_OK;
}

static int bind_parts(const nn_trainer *t, const nn_data *d, int64_t batch,
                      int64_t fallback, nn_binding *b)
{
    int status = find_roles(t, b);

    if (!status)
        status = set_dims(t, b);
    if (!status)
        status = find_batch(b, d, batch, fallback);
    if (!status)
        status = solve(b, d);
    if (!status)
        status = allocate(b);
    for (int i = 0; i < b->f->nparam && !status; i++)
        if (b->role[i] == NN_ROLE_SCALAR)
            status = fill_scalar(t, b, i);
    return status;
}

int nn_bind(const nn_trainer *t, const nn_function *f, const nn_data *d,
            int64_t batch, int64_t fallback, nn_binding *b)
{
    *b = (nn_binding){.f = f, .nfeature = d->nfeature};
    if (batch < 0)
        return nn_fail(NN_ERR_ARGUMENT, "batches of %lld rows",
                       (long long)batch);
    int status = nn_axes_new(f, &b->axes);
    if (status)
        return status;

    size_t n = (size_t)b->axes.nleaf, ndim = (size_t)f->ndim;
    b->role = nn_alloc((size_t)f->nparam, sizeof *b->role, "arguments");
    b->dims = nn_alloc(ndim, sizeof *b->dims, "dimensions");
    b->dims_now = nn_alloc(ndim, sizeof *b->dims_now, "dimensions");
    b->leaf = nn_alloc(n, sizeof *b->leaf, "arguments");
    b->owned = nn_alloc(n, sizeof *b->owned, "arguments");
    if (!b->role || !b->dims || !b->dims_now || !b->leaf || !b->owned)
        status = NN_ERR_MEMORY;
    /* Constant sizes: any dimensions do to learn them. */
    for (int k = 0; k < f->ndim && !status; k++)
        b->dims[k] = 1;
    if (!status) {
        f->sizes(b->dims, b->axes.size);
        status = bind_parts(t, d, batch, fallback, b);
    }
    if (status)
        nn_bind_free(b);
    return status;
}

void nn_bind_free(nn_binding *b)
{
    for (int l = 0; b->owned && l < b->axes.nleaf; l++)
        free(b->owned[l]);
    free(b->role);
    free(b->dims);
    free(b->dims_now);
    free(b->leaf);
    free(b->owned);
    nn_axes_free(&b->axes);
    *b = (nn_binding){0};
}

static int state_mismatch(const nn_binding *b, const nn_port *p, int l)
{
    return nn_fail(NN_ERR_SHAPE,
                   "%s: '%s%s%s' %s is not of the shape that init gives it",
                   b->f->name, p->name, *p->leaf[l].path ? "." : "",
                   p->leaf[l].path, p->leaf[l].shape);
}

int nn_bind_state(nn_binding *b, const nn_trainer *t)
{
    for (int i = 0; i < b->f->nparam; i++) {
        if (b->role[i] != NN_ROLE_STATE)
            continue;
        const nn_port *p = &b->f->param[i];
        const nn_block *block = &t->block[find_block(t, p->name)];
        int first = nn_param_leaf(b->f, i);
        for (int l = 0; l < p->nleaf; l++) {
            const nn_tensor *have = &block->leaf[l];
            const int64_t *want = b->axes.size + b->axes.first[first + l];
            if (have->dtype != p->leaf[l].dtype ||
                have->rank != p->leaf[l].rank)
                return state_mismatch(b, p, l);
            for (int k = 0; k < have->rank; k++)
                if (have->size[k] != want[k])
                    return state_mismatch(b, p, l);
            b->leaf[first + l] = have->data;
        }
    }
    return NN_OK;
}

void nn_bind_rows(nn_binding *b, const nn_data *d, const int64_t *row,
                  int64_t n)
{
    void *x = b->leaf[b->x_leaf];
    int dtype = b->axes.leaf[b->x_leaf]->dtype;
    int64_t m = b->nfeature;

    for (int64_t i = 0; i < n; i++) {
        const double *from = d->x + row[i] * m;
        if (dtype == NN_F32) {
            float *to = (float *)x + i * m;
            for (int64_t k = 0; k < m; k++)
                to[k] = (float)from[k];
        } else {
            for (int64_t k = 0; k < m; k++)
                store(dtype, x, i * m + k, from[k]);
        }
    }
    if (b->y >= 0)
        for (int64_t i = 0; i < n; i++)
            store(b->axes.leaf[b->y_leaf]->dtype, b->leaf[b->y_leaf], i,
                  d->y[row[i]]);
    if (b->batch_dim >= 0)
        b->dims_now[b->batch_dim] = n;
}

static const char *column_name(const nn_data *d, int64_t k)
{
    return d->feature_name ? d->feature_name[k] : "";
}

int nn_bind_check(const nn_binding *b, const nn_data *d)
{
    int xt = b->axes.leaf[b->x_leaf]->dtype;

    for (int64_t i = 0; i < d->n; i++)
        for (int64_t k = 0; k < d->nfeature; k++) {
            double v = d->x[i * d->nfeature + k];
            if (!holds(xt, v))
                return nn_fail(NN_ERR_DATA,
                               "%s:%lld: feature %lld %s is %g; the model's "
                               "'%s' takes %s",
                               d->path, (long long)d->line[i], (long long)k,
                               column_name(d, k), v, b->f->param[b->x].name,
                               nn_dtype_name(xt));
        }
    for (int64_t i = 0; b->y >= 0 && i < d->n; i++) {
        int yt = b->axes.leaf[b->y_leaf]->dtype;
        if (!holds(yt, d->y[i]))
            return nn_fail(NN_ERR_DATA,
                           "%s:%lld: the label is %g; the model's '%s' takes "
                           "%s",
                           d->path, (long long)d->line[i], d->y[i],
                           b->f->param[b->y].name, nn_dtype_name(yt));
    }
    return NN_OK;
}

int nn_bind_output(const nn_function *f, int i)
{
    for (int k = 0; k < f->nresult; k++)
        if (f->result[k].in_place < 0 && i-- == 0)
            return k;
    return -1;
}

int nn_bind_result(const nn_binding *b, int i, double *value)
{
    int k = nn_bind_output(b->f, i);

    if (k < 0 || b->f->result[k].nleaf != 1 ||
        b->f->result[k].leaf->rank != 0 || !is_real(&b->f->result[k]))
        return nn_fail(NN_ERR_SHAPE, "%s: result %d is no real number",
                       b->f->name, i);
    const void *at = b->leaf[nn_result_leaf(b->f, k)];
    *value = b->f->result[k].leaf->dtype == NN_F32 ? *(const float *)at
                                                   : *(const double *)at;
    return NN_OK;
}
