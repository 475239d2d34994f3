/* items.c: the `train` items of a module, and what their evaluations give. */
#include "nn_internal.h"

#include <string.h>

static const nn_function *function_at(const nn_module *d, int i)
{
    return i >= 0 && i < d->nfunction ? d->function[i] : NULL;
}

/* Without items: the first functions of these kinds. */
static int find_parts(const nncc_model *m, nncc_item *item,
                      const nn_function **init)
{
    int status = nncc_find_kind(m, NN_INIT, init);

    *item = (nncc_item){.name = "loss", .steps = 1};
    if (!status)
        status = nncc_find_kind(m, NN_STEP, &item->step);
    if (!status)
        status = nncc_find_kind(m, NN_EVALUATE, &item->evaluate);
    return status;
}

int nncc_items_find(const nncc_model *m, nncc_item *item, int *n,
                    const nn_function **init)
{
    int metrics = 0;

    *n = m->d->ntrain > 0 ? m->d->ntrain : 1;
    if (m->d->ntrain == 0)
        return find_parts(m, item, init);
    if (*n > NNCC_MAX_ITEMS)
        return nncc_fail(NN_ERR_MODULE, "%s: more than %d 'train' items",
                         nncc_path(m), NNCC_MAX_ITEMS);
    for (int i = 0; i < *n; i++) {
        const nn_train *t = m->d->train[i];
        *init = function_at(m->d, t->init);
        item[i] = (nncc_item){.name = t->name,
                              .step = function_at(m->d, t->step),
                              .evaluate = function_at(m->d, t->evaluate),
                              .update = function_at(m->d, t->update),
                              .carry = function_at(m->d, t->carry - 1),
                              .steps = t->steps};
        if (!*init || !item[i].step || !item[i].evaluate || t->steps < 1)
            return nncc_fail(NN_ERR_MODULE, "%s: 'train' item %d is damaged",
                             nncc_path(m), i);
        metrics += (i > 0) + nncc_item_metrics(&item[i]);
    }
    if (metrics > NNCC_MAX_METRICS)
        return nncc_fail(NN_ERR_MODULE,
                         "%s: its 'train' items have more than %d metrics "
                         "together",
                         nncc_path(m), NNCC_MAX_METRICS);
    return NN_OK;
}

const char *nncc_setting_of(const nncc_item *item, const char *name)
{
    size_t n = strlen(item->name);

    return strncmp(name, item->name, n) == 0 && name[n] == '.' ? name + n + 1
                                                               : NULL;
}

const char *nncc_setting_in(const nncc_item *item, const char *name)
{
    const char *own = nncc_setting_of(item, name);

    return own || strchr(name, '.') ? own : name;
}

int nncc_item_metrics(const nncc_item *item)
{
    int n = 0;

    while (n < NNCC_MAX_METRICS && nncc_bind_output(item->evaluate, n + 1) >= 0)
        n++;
    return n;
}

int nncc_item_count(const nncc_model *m)
{
    nncc_item item[NNCC_MAX_ITEMS];
    const nn_function *init;
    int n;

    return m && !nncc_items_find(m, item, &n, &init) ? n : 0;
}

const char *nncc_item_name(const nncc_model *m, int i)
{
    nncc_item item[NNCC_MAX_ITEMS];
    const nn_function *init;
    int n;

    if (!m || nncc_items_find(m, item, &n, &init) || i < 0 || i >= n)
        return NULL;
    return item[i].name;
}

/* Number i of what all items give besides the first one's loss: of further ones
 * the loss, too. Its name, or NULL where there are not so many; *i is then less
 * by how many there are. */
static const char *metric_at(const nncc_item *item, int n, int *i)
{
    for (int k = 0; k < n; k++) {
        int all = nncc_item_metrics(&item[k]) + (k > 0);
        if (*i < all) {
            int output = nncc_bind_output(item[k].evaluate, *i + (k == 0));
            return item[k].evaluate->result[output]->name;
        }
        *i -= all;
    }
    return NULL;
}

int nncc_metric_count(const nncc_model *m)
{
    nncc_item item[NNCC_MAX_ITEMS];
    const nn_function *init;
    int n, left = NNCC_MAX_METRICS + 1;

    if (!m || nncc_items_find(m, item, &n, &init))
        return 0;
    metric_at(item, n, &left);
    return NNCC_MAX_METRICS + 1 - left;
}

const char *nncc_metric_name(const nncc_model *m, int i)
{
    nncc_item item[NNCC_MAX_ITEMS];
    const nn_function *init;
    int n;

    if (!m || i < 0 || nncc_items_find(m, item, &n, &init))
        return NULL;
    return metric_at(item, n, &i);
}
