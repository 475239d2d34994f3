/* bind.c: which parameter of step and evaluate gets what, and the rows of a
 * data set as arguments. */
#include "nn_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What of t the parameter takes: the block of its name, or else the only one of
 * its type, which is a struct; -1: none. */
static int block_for(const nncc_trainer *t, const nn_port *p)
{
    int found = nncc_trainer_block(t, p->name), n = 0;

    if (found >= 0)
        return t->block[found].port->nleaf == p->nleaf ? found : -1;
    for (int i = 0; i < t->nblock && p->nleaf && *p->leaf[0]->path; i++)
        if (strcmp(t->block[i].port->type, p->type) == 0) {
            found = i;
            n++;
        }
    return n == 1 ? found : -1;
}

/* The setting of that name: for the item of f alone, or else for all. */
static const nncc_setting *find_setting(const nncc_trainer *t,
                                        const nn_function *f, const char *name)
{
    const nncc_setting *common = NULL;

    for (int i = 0; i < t->nsetting; i++) {
        const nncc_setting *s = &t->setting[i];
        for (int k = 0; k < t->nitem; k++) {
            const char *own = nncc_setting_of(&t->item[k], s->name);
            if (own && strcmp(own, name) == 0 &&
                (t->item[k].step == f || t->item[k].evaluate == f))
                return s;
        }
        if (strcmp(s->name, name) == 0)
            common = s;
    }
    return common;
}

static bool is_key(const nn_port *p)
{
    const nn_leaf *l = p->leaf[0];

    return l->dtype == NN_KEY ||
           (l->dtype == NN_I64 && strcmp(p->name, "seed") == 0);
}

static bool is_real(const nn_port *p)
{
    return nncc_is_real(p->leaf[0]->dtype);
}

/* The role of a parameter, which shows by itself. */
static int find_role(const nncc_trainer *t, const nn_function *f, int i,
                     int *role)
{
    const nn_port *p = f->param[i];

    if (block_for(t, p) >= 0) {
        *role = NNCC_ROLE_STATE;
        return NN_OK;
    }
    if (p->nleaf != 1)
        return nncc_fail(NN_ERR_SHAPE,
                         "%s: '%s' is of type %s; expected a tensor of data or "
                         "what is trained",
                         f->name, p->name, p->type);
    if (p->leaf[0]->rank > 0)
        *role = NNCC_ROLE_DATA;
    else
        *role = is_key(p) ? NNCC_ROLE_KEY : NNCC_ROLE_SCALAR;
    return NN_OK;
}

/* Of the data parameters a and b the one that gets the features. */
static int features_of(const nn_function *f, int a, int b)
{
    const nn_port *p = f->param[a], *q = f->param[b];

    if (is_real(p) != is_real(q))
        return is_real(p) ? a : b;
    return q->leaf[0]->rank > p->leaf[0]->rank ? b : a;
}

static void add_input(nncc_binding *b, int param, int source)
{
    b->input[b->ninput++] =
        (nncc_input){param, nncc_param_leaf(b->f, param), source};
}

static int no_data(const nncc_binding *b, const nncc_data *d, int param)
{
    nncc_text names = {0};

    for (int64_t k = 0; k < d->nfield; k++)
        nncc_text_printf(&names, "%s%s", k ? ", " : "", d->field[k].name);
    int status = nncc_fail(
        NN_ERR_NAME, "%s: there is no data '%s'; there is %s%s", b->f->name,
        b->f->param[param]->name, names.at ? names.at : "none",
        d->chosen ? ", by '--columns'" : "");
    free(names.at);
    return status;
}

/* What has no data of its own name gets the features and the labels. */
static int add_unnamed(const nncc_trainer *t, nncc_binding *b,
                       const nncc_data *d, const int *data, int ndata)
{
    const nn_function *f = b->f;

    bool named = d->nfield > 0 && (d->nfeature == 0 || d->chosen);

    if (named && ndata == 1 && d->nlabel > 0) {
        b->label = b->ninput;
        add_input(b, data[0], NNCC_LABELS);
        return NN_OK;
    }
    bool only_shapes = t->unlabelled && f->kind == NN_STEP;

    if (named && only_shapes)
        return NN_OK;
    if (named && ndata > 0)
        return no_data(b, d, data[0]);
    if (ndata > 2 && !only_shapes)
        return nncc_fail(NN_ERR_SHAPE,
                         "%s: takes '%s', '%s' and '%s' as data; expected "
                         "features and at most one label, or data by these "
                         "names ('--columns', '--data NAME=')",
                         f->name, f->param[data[0]]->name,
                         f->param[data[1]]->name, f->param[data[2]]->name);
    int x = data[0];
    for (int i = 1; i < ndata; i++)
        x = features_of(f, x, data[i]);
    if (ndata > 0)
        add_input(b, x, NNCC_FEATURES);
    if (ndata == 2) {
        b->label = b->ninput;
        add_input(b, data[0] + data[1] - x, NNCC_LABELS);
    }
    return NN_OK;
}

static int find_roles(const nncc_trainer *t, const nncc_data *d,
                      nncc_binding *b)
{
    const nn_function *f = b->f;
    int data[3] = {0}, ndata = 0;

    b->key = b->label = -1;
    for (int i = 0; i < f->nparam; i++) {
        int status = find_role(t, f, i, &b->role[i]);
        if (status)
            return status;
        if (b->role[i] == NNCC_ROLE_KEY)
            b->key = i;
        if (b->role[i] != NNCC_ROLE_DATA)
            continue;
        int64_t field = nncc_data_field(d, f->param[i]->name);
        if (field >= 0)
            add_input(b, i, (int)field);
        else if (ndata < 3)
            data[ndata++] = i;
    }
    int status = add_unnamed(t, b, d, data, ndata);
    if (!status && b->ninput == 0 && f->kind == NN_FUNCTION)
        return nncc_fail(NN_ERR_SHAPE, "%s: takes no tensor of data", f->name);
    return status;
}

static int set_dims(const nncc_trainer *t, nncc_binding *b)
{
    for (int k = 0; k < b->f->ndim; k++) {
        const nncc_setting *s = find_setting(t, b->f, b->f->dim[k]);
        b->dims[k] = -1;
        if (!s)
            continue;
        if (!(s->value >= 0 && s->value <= 1e12) || s->value != floor(s->value))
            return nncc_fail(
                NN_ERR_ARGUMENT,
                "dimension '%s' set to %g; expected a whole number", s->name,
                s->value);
        b->dims[k] = (int64_t)s->value;
    }
    return NN_OK;
}

/* The size of an axis, or -1 where only the data tells it. */
static int64_t known_size(const nncc_binding *b, int axis)
{
    int k = b->axes.owner[axis];

    if (k == NNCC_AXIS_CONST)
        return b->axes.size[axis];
    return k >= 0 ? b->dims[k] : -1;
}

static int find_batch(nncc_binding *b, const nncc_data *d, int64_t batch,
                      int64_t fallback)
{
    const nncc_input *in = &b->input[0];
    if (b->ninput == 0) { /* a loss without data */
        b->batch = batch ? batch : fallback;
        b->batch_dim = -1;
        return NN_OK;
    }
    int axis = b->axes.first[in->leaf];
    int64_t fixed = known_size(b, axis);
    const char *name = b->f->param[in->param]->name;

    b->batch_dim = fixed < 0 ? b->axes.owner[axis] : -1;
    if (fixed < 0 && b->batch_dim < 0)
        return nncc_fail(NN_ERR_SHAPE,
                         "%s: the first axis of '%s' %s is not the batch",
                         b->f->name, name, b->axes.leaf[in->leaf]->shape);
    if (fixed == 0)
        return nncc_fail(NN_ERR_SHAPE, "%s: '%s' is for batches of 0 rows",
                         b->f->name, name);
    if (fixed > 0 && batch && batch != fixed)
        return nncc_fail(
            NN_ERR_ARGUMENT,
            "batches of %lld rows; the model was compiled for %lld",
            (long long)batch, (long long)fixed);
    b->batch = fixed > 0 ? fixed : batch ? batch : fallback;
    if (fixed < 0 && d->n > 0 && b->batch > d->n)
        b->batch = d->n;
    return NN_OK;
}

static int wrong_row(const nncc_binding *b, const nncc_data *d,
                     const nncc_input *in, int64_t want, bool multiple)
{
    const char *what = in->source == NNCC_LABELS     ? "label"
                       : in->source == NNCC_FEATURES ? "feature"
                                                     : "number";
    int64_t have = nncc_data_width(d, in->source);

    int status = nncc_fail(
        NN_ERR_SHAPE,
        "%s%s%s%s has %lld %s%s in a row; the model's '%s' %s takes %s%lld",
        d->path, in->source >= 0 ? ": '" : "",
        in->source >= 0 ? d->field[in->source].name : "",
        in->source >= 0 ? "'" : "", (long long)have, what, have == 1 ? "" : "s",
        b->f->param[in->param]->name, b->axes.leaf[in->leaf]->shape,
        multiple ? "a multiple of " : "", (long long)want);
    return in->source == NNCC_FEATURES ? nncc_tell_features(d, status) : status;
}

/* Shape of an input: the batch, then axes whose product is the numbers in a
 * row; at most one of them is not known before, of more the others are 1. */
static int shape_row(const nncc_binding *b, const nncc_data *d,
                     const nncc_input *in, nncc_tensor *t)
{
    int unknown = -1, first = b->axes.first[in->leaf];
    int64_t product = 1, n = nncc_data_width(d, in->source);

    t->dtype = b->axes.leaf[in->leaf]->dtype;
    t->rank = b->axes.leaf[in->leaf]->rank;
    t->size[0] = b->batch;
    for (int i = 1; i < t->rank; i++) {
        t->size[i] = known_size(b, first + i);
        if (t->size[i] < 0 && in->source >= 0 &&
            d->field[in->source].rank == t->rank - 1)
            t->size[i] = d->field[in->source].size[i - 1];
        if (t->size[i] < 0 && unknown < 0) {
            unknown = i;
            continue;
        }
        if (t->size[i] < 0 && n != 1)
            return nncc_fail(NN_ERR_SHAPE,
                             "%s: the sizes in '%s' %s do not follow from %lld "
                             "numbers in a row: set them",
                             b->f->name, b->f->param[in->param]->name,
                             b->axes.leaf[in->leaf]->shape, (long long)n);
        t->size[i] = t->size[i] < 0 ? 1 : t->size[i];
        if (t->size[i] && product > INT64_MAX / t->size[i])
            return wrong_row(b, d, in, INT64_MAX, false);
        product *= t->size[i];
    }
    if (unknown >= 0 && product > 0 && n % product == 0)
        t->size[unknown] = n / product;
    else if (unknown >= 0 || product != n)
        return wrong_row(b, d, in, product, unknown >= 0);
    return NN_OK;
}

/* The tensors of a parameter that is state, if there are any as yet. */
static void give_state(const nncc_trainer *t, const nn_function *f, int i,
                       nncc_tensor **leaf)
{
    const nncc_block *b = &t->block[block_for(t, f->param[i])];
    int first = nncc_param_leaf(f, i);

    for (int l = 0; b->leaf && l < b->port->nleaf; l++)
        leaf[first + l] = &b->leaf[l];
}

/* The shapes of all inputs in shape, and where they are given in leaf. */
static int shape_inputs(const nncc_trainer *t, const nncc_binding *b,
                        const nncc_data *d, nncc_tensor *shape,
                        nncc_tensor **leaf)
{
    static char anything; /* stands for the data: only shapes are looked at */

    for (int k = 0; k < b->ninput; k++) {
        const nncc_input *in = &b->input[k];
        if (in->source == NNCC_LABELS && d->nlabel == 0) {
            if (t->unlabelled)
                continue;
            return nncc_fail(NN_ERR_SHAPE,
                             "%s has no labels; the model takes '%s'", d->path,
                             b->f->param[in->param]->name);
        }
        shape[k].data = &anything;
        int status = shape_row(b, d, in, &shape[k]);
        if (status)
            return status;
        leaf[in->leaf] = &shape[k];
    }
    return NN_OK;
}

/* Does the size of what is trained depend on dimension k? */
static bool sizes_state(nncc_binding *b, int k)
{
    bool does = false;

    for (int i = 0, l = 0; i < b->f->nparam; l += b->f->param[i++]->nleaf)
        for (int m = 0; m < b->f->param[i]->nleaf; m++)
            does |= b->role[i] == NNCC_ROLE_STATE &&
                    nncc_axes_depend(b->f, &b->axes, l + m, b->dims, k,
                                     b->dims_now);
    return does;
}

/* Of data that is not there, as no step is made, any sizes do. */
static void take_any(const nncc_trainer *t, nncc_binding *b)
{
    for (int k = 0; k < b->f->ndim && t->unlabelled; k++)
        if (b->dims[k] < 0 && !sizes_state(b, k))
            b->dims[k] = 1;
}

/* Dimensions from the shapes of what there is. */
static int solve(const nncc_trainer *t, nncc_binding *b, const nncc_data *d)
{
    size_t n = (size_t)b->ninput;
    nncc_tensor *shape = nncc_alloc(n, sizeof *shape, "arguments");
    nncc_tensor **leaf =
        nncc_alloc((size_t)b->axes.nleaf, sizeof(nncc_tensor *), "arguments");
    int status =
        shape && leaf ? shape_inputs(t, b, d, shape, leaf) : (int)NN_ERR_MEMORY;

    for (int i = 0; i < b->f->nparam && !status; i++)
        if (b->role[i] == NNCC_ROLE_STATE)
            give_state(t, b->f, i, leaf);
    if (!status)
        status = nncc_axes_bind(b->f, &b->axes, leaf, b->dims);
    if (!status) {
        take_any(t, b);
        status = nncc_axes_solve(b->f, &b->axes, leaf, b->dims);
    }
    free(leaf);
    free(shape);
    if (!status)
        memcpy(b->dims_now, b->dims, (size_t)b->f->ndim * sizeof *b->dims);
    return status;
}

static int fill_scalar(const nncc_trainer *t, nncc_binding *b, int i)
{
    const nn_port *p = b->f->param[i];
    const nncc_setting *s = find_setting(t, b->f, p->name);
    double v = s ? s->value : p->value;

    if (!s && !p->has_value)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "%s: '%s' has no default: give it as a setting",
                         b->f->name, p->name);
    if (!nncc_holds(p->leaf[0]->dtype, v))
        return nncc_fail(NN_ERR_ARGUMENT, "setting '%s' is %g; expected a %s",
                         p->name, v, nncc_dtype_name(p->leaf[0]->dtype));
    nncc_store_numbers(p->leaf[0]->dtype, b->leaf[nncc_param_leaf(b->f, i)], 0,
                       1, &v);
    return NN_OK;
}

/* Memory for all leaves but the state's and results in place. */
static int allocate(nncc_binding *b)
{
    int leaf = 0;

    for (int i = 0; i < b->f->nparam + b->f->nresult; i++) {
        bool param = i < b->f->nparam;
        const nn_port *p =
            param ? b->f->param[i] : b->f->result[i - b->f->nparam];
        bool ours = param ? b->role[i] != NNCC_ROLE_STATE : p->in_place < 0;
        for (int l = 0; l < p->nleaf; l++, leaf++) {
            size_t bytes = 0;
            if (!ours)
                continue;
            int status = nncc_axes_bytes(&b->axes, leaf, &bytes);
            if (status)
                return status;
            b->owned[leaf] = nncc_alloc_aligned(bytes, "a batch");
            if (!b->owned[leaf])
                return NN_ERR_MEMORY;
            b->leaf[leaf] = b->owned[leaf];
        }
    }
    return NN_OK;
}

static int bind_parts(const nncc_trainer *t, const nncc_data *d, int64_t batch,
                      int64_t fallback, nncc_binding *b)
{
    int status = find_roles(t, d, b);

    if (!status)
        status = set_dims(t, b);
    if (!status)
        status = find_batch(b, d, batch, fallback);
    if (!status)
        status = solve(t, b, d);
    if (!status)
        status = allocate(b);
    for (int i = 0; i < b->f->nparam && !status; i++)
        if (b->role[i] == NNCC_ROLE_SCALAR)
            status = fill_scalar(t, b, i);
    return status;
}

int nncc_bind(const nncc_trainer *t, const nn_function *f, const nncc_data *d,
              int64_t batch, int64_t fallback, nncc_binding *b)
{
    *b = (nncc_binding){.f = f};
    if (batch < 0)
        return nncc_fail(NN_ERR_ARGUMENT, "batches of %lld rows",
                         (long long)batch);
    int status = nncc_axes_new(f, &b->axes);
    if (status)
        return status;

    size_t n = (size_t)b->axes.nleaf, ndim = (size_t)f->ndim;
    b->role = nncc_alloc((size_t)f->nparam, sizeof *b->role, "arguments");
    b->input = nncc_alloc((size_t)f->nparam, sizeof *b->input, "arguments");
    b->dims = nncc_alloc(ndim, sizeof *b->dims, "dimensions");
    b->dims_now = nncc_alloc(ndim, sizeof *b->dims_now, "dimensions");
    b->leaf = nncc_alloc(n, sizeof *b->leaf, "arguments");
    b->owned = nncc_alloc(n, sizeof *b->owned, "arguments");
    if (!b->role || !b->input || !b->dims || !b->dims_now || !b->leaf ||
        !b->owned)
        status = NN_ERR_MEMORY;
    /* Constant sizes: any dimensions do to learn them. */
    for (int k = 0; k < f->ndim && !status; k++)
        b->dims[k] = 1;
    if (!status) {
        f->sizes(b->dims, b->axes.size);
        status = bind_parts(t, d, batch, fallback, b);
    }
    if (status)
        nncc_bind_free(b);
    return status;
}

void nncc_bind_free(nncc_binding *b)
{
    for (int l = 0; b->owned && l < b->axes.nleaf; l++)
        free(b->owned[l]);
    free(b->role);
    free(b->input);
    free(b->dims);
    free(b->dims_now);
    free(b->leaf);
    free(b->owned);
    nncc_axes_free(&b->axes);
    *b = (nncc_binding){0};
}

static int state_mismatch(const nncc_binding *b, const nn_port *p, int l)
{
    return nncc_fail(NN_ERR_SHAPE,
                     "%s: '%s%s%s' %s is not of the shape that init gives it",
                     b->f->name, p->name, *p->leaf[l]->path ? "." : "",
                     p->leaf[l]->path, p->leaf[l]->shape);
}

int nncc_bind_state(nncc_binding *b, const nncc_trainer *t)
{
    for (int i = 0; i < b->f->nparam; i++) {
        if (b->role[i] != NNCC_ROLE_STATE)
            continue;
        const nn_port *p = b->f->param[i];
        const nncc_block *block = &t->block[block_for(t, p)];
        int first = nncc_param_leaf(b->f, i);
        for (int l = 0; l < p->nleaf; l++) {
            const nncc_tensor *have = &block->leaf[l];
            const int64_t *want = b->axes.size + b->axes.first[first + l];
            if (have->dtype != p->leaf[l]->dtype ||
                have->rank != p->leaf[l]->rank)
                return state_mismatch(b, p, l);
            for (int k = 0; k < have->rank; k++)
                if (have->size[k] != want[k])
                    return state_mismatch(b, p, l);
            b->leaf[first + l] = have->data;
        }
    }
    return NN_OK;
}

static int bad_number(const nncc_binding *b, const nncc_data *d,
                      const nncc_input *in, int64_t row, int64_t k, double v)
{
    const char *name = b->f->param[in->param]->name;
    const char *takes = nncc_dtype_name(b->axes.leaf[in->leaf]->dtype);
    nncc_text place = {0};
    const char *at = nncc_data_place(d, row, &place);
    int status;

    if (in->source == NNCC_FEATURES)
        status = nncc_fail(NN_ERR_DATA,
                           "%s: feature %lld %s is %g; the model's '%s' takes "
                           "%s",
                           at, (long long)k,
                           d->feature_name ? d->feature_name[k] : "", v, name,
                           takes);
    else if (in->source == NNCC_LABELS)
        status = nncc_fail(NN_ERR_DATA,
                           "%s: the label is %g; the model's '%s' takes %s", at,
                           v, name, takes);
    else
        status = nncc_fail(NN_ERR_DATA, "%s: '%s' is %g there; it takes %s", at,
                           name, v, takes);
    free(place.at);
    return status;
}

/* c numbers of a row, from number k on. */
static int check_numbers(const nncc_binding *b, const nncc_input *in,
                         const nncc_data *d, int64_t row, int64_t k, int64_t c,
                         const double *v)
{
    int64_t i = nncc_find_unheld(b->axes.leaf[in->leaf]->dtype, v, c);

    return i < c ? bad_number(b, d, in, row, k + i, v[i]) : NN_OK;
}

enum { CHUNK = 1024 }; /* numbers converted at a time */

/* Rows of numbers into the input's leaf. */
static int fill_rows(nncc_binding *b, const nncc_input *in, const nncc_data *d,
                     const int64_t *row, int64_t n)
{
    double chunk[CHUNK];
    int64_t m = nncc_data_width(d, in->source);
    bool bulk = nncc_data_is_bulk(d, in->source);

    nncc_rows r;

    if (nncc_data_rows(d, in->source, &r) &&
        nncc_convert_rows(&r, row, n, b->axes.leaf[in->leaf]->dtype,
                          b->leaf[in->leaf]))
        return NN_OK;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < m; k += CHUNK) {
            int64_t c = m - k < CHUNK ? m - k : CHUNK;
            int status = nncc_data_numbers(d, in->source, row[i], k, c, chunk);
            if (!status && bulk)
                status = check_numbers(b, in, d, row[i], k, c, chunk);
            if (status)
                return status;
            nncc_store_numbers(b->axes.leaf[in->leaf]->dtype, b->leaf[in->leaf],
                               i * m + k, c, chunk);
        }
    return NN_OK;
}

int nncc_bind_rows(nncc_binding *b, const nncc_data *d, const int64_t *row,
                   int64_t n)
{
    int status = NN_OK;

    for (int k = 0; k < b->ninput && !status; k++)
        status = fill_rows(b, &b->input[k], d, row, n);
    if (b->batch_dim >= 0)
        b->dims_now[b->batch_dim] = n;
    return status;
}

/* Names of classes are no quantities; of two one may be 0 and the other 1. */
static int check_names(const nncc_binding *b, const nncc_input *in,
                       const nncc_data *d)
{
    if (in->source != NNCC_LABELS || d->label != NNCC_LABEL_NAME || d->text ||
        d->nclass == 2 || !is_real(b->f->param[in->param]))
        return NN_OK;
    return nncc_fail(NN_ERR_DATA,
                     "%s: labels are names of classes ('%s', …); the model's "
                     "'%s' takes real numbers",
                     d->path, d->class_name[0], b->f->param[in->param]->name);
}

static int check_rows(const nncc_binding *b, const nncc_input *in,
                      const nncc_data *d)
{
    int64_t m = nncc_data_width(d, in->source);
    double chunk[CHUNK];

    if (nncc_data_is_bulk(d, in->source))
        return NN_OK; /* each batch is looked at */
    for (int64_t i = 0; i < d->n; i++)
        for (int64_t k = 0; k < m; k += CHUNK) {
            int64_t c = m - k < CHUNK ? m - k : CHUNK;
            int status = nncc_data_numbers(d, in->source, i, k, c, chunk);
            if (!status)
                status = check_numbers(b, in, d, i, k, c, chunk);
            if (status)
                return status;
        }
    return NN_OK;
}

int nncc_bind_check(const nncc_binding *b, const nncc_data *d)
{
    int status = NN_OK;

    for (int k = 0; k < b->ninput && !status; k++) {
        status = check_names(b, &b->input[k], d);
        if (!status)
            status = check_rows(b, &b->input[k], d);
    }
    return status;
}

/* Index of the scalar parameter of that name. */
static int find_scalar(const nncc_binding *b, const char *name, int *i)
{
    for (*i = 0; *i < b->f->nparam; ++*i)
        if (b->role[*i] == NNCC_ROLE_SCALAR &&
            strcmp(b->f->param[*i]->name, name) == 0)
            return NN_OK;
    return nncc_fail(NN_ERR_NAME,
                     "%s has no setting '%s' for a schedule to "
                     "change",
                     b->f->name, name);
}

int nncc_bind_scalar(const nncc_binding *b, const char *name, double *value)
{
    int i, status = find_scalar(b, name, &i);

    if (status)
        return status;
    if (!is_real(b->f->param[i]))
        return nncc_fail(
            NN_ERR_ARGUMENT,
            "setting '%s' is no real number: it cannot have a schedule", name);
    nncc_load_numbers(b->f->param[i]->leaf[0]->dtype,
                      b->leaf[nncc_param_leaf(b->f, i)], 0, 1, value);
    return NN_OK;
}

int nncc_bind_set(nncc_binding *b, const char *name, double value)
{
    int i, status = find_scalar(b, name, &i);

    if (status)
        return status;
    nncc_store_numbers(b->f->param[i]->leaf[0]->dtype,
                       b->leaf[nncc_param_leaf(b->f, i)], 0, 1, &value);
    return NN_OK;
}

int nncc_bind_output(const nn_function *f, int i)
{
    for (int k = 0; k < f->nresult; k++)
        if (f->result[k]->in_place < 0 &&
            (f->result[k]->nleaf != 1 || f->result[k]->leaf[0]->rank == 0) &&
            i-- == 0)
            return k;
    return -1;
}

int nncc_bind_result(const nncc_binding *b, int i, double *value)
{
    int k = nncc_bind_output(b->f, i);

    if (k < 0 || b->f->result[k]->nleaf != 1 ||
        b->f->result[k]->leaf[0]->rank != 0 || !is_real(b->f->result[k]))
        return nncc_fail(NN_ERR_SHAPE, "%s: result %d is no real number",
                         b->f->name, i);
    nncc_load_numbers(b->f->result[k]->leaf[0]->dtype,
                      b->leaf[nncc_result_leaf(b->f, k)], 0, 1, value);
    return NN_OK;
}
