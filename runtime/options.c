/* options.c: what a training is asked for, looked at before it begins. */
#include "nn_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An earlier training's checkpoint stays unless it is said not to. */
static int keep_earlier(const nncc_checkpoints *c)
{
    nncc_text path = {0};

    if (c->resume || c->overwrite)
        return NN_OK;
    nncc_text_printf(&path, "%s/last.safetensors", c->folder);
    int status = path.failed ? (int)NN_ERR_MEMORY : NN_OK;
    if (!status && access(path.at, F_OK) == 0)
        status = nncc_fail(NN_ERR_FILE,
                           "%s: is there already, of an earlier training: "
                           "'--resume' goes on from it, '--overwrite' begins "
                           "anew",
                           path.at);
    free(path.at);
    return status;
}

int nncc_checkpoints_begin(const nncc_checkpoints *c)
{
    struct stat st;

    if (!c)
        return NN_OK;
    if (!c->folder || c->steps < 0 || c->keep < 0)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "checkpoints every %lld steps, one kept every %lld "
                         "epochs, %s",
                         (long long)c->steps, (long long)c->keep,
                         c->folder ? c->folder : "without a folder");
    if (mkdir(c->folder, 0777) != 0 &&
        (errno != EEXIST || stat(c->folder, &st) != 0 || !S_ISDIR(st.st_mode)))
        return nncc_fail(NN_ERR_FILE, "%s: %s", c->folder,
                         errno == EEXIST ? "is no folder" : strerror(errno));
    return keep_earlier(c);
}

int nncc_check_options(const nncc_train_options *o, const nncc_data *train,
                       const nncc_data *test)
{
    if (o->patience < 0 || (o->patience && !test))
        return nncc_fail(NN_ERR_ARGUMENT, "a patience of %lld epochs %s",
                         (long long)o->patience,
                         o->patience < 0 ? "makes no sense"
                                         : "needs a test set to look at");
    if (o->epochs < 0 || o->batch < 0 || o->nsetting < 0 || o->steps < 0)
        return nncc_fail(NN_ERR_ARGUMENT,
                         "%lld epochs, or %lld steps, of batches of %lld rows; "
                         "none may be negative",
                         (long long)o->epochs, (long long)o->steps,
                         (long long)o->batch);
    if (o->evaluate_steps < 0 || ((o->evaluate_steps || o->best) && !test))
        return nncc_fail(NN_ERR_ARGUMENT, "%s",
                         o->evaluate_steps < 0
                             ? "a negative number of steps between evaluations"
                             : "evaluations need a test set to look at");
    if (!(o->average >= 0 && o->average < 1))
        return nncc_fail(NN_ERR_ARGUMENT,
                         "a running mean that keeps %g of itself; expected 0 "
                         "to below 1",
                         o->average);
    if (train->n == 0)
        return nncc_fail(NN_ERR_ARGUMENT, "%s: no rows to train on",
                         train->path);
    return o->ranks && o->ranks->rank > 0
               ? (int)NN_OK
               : nncc_checkpoints_begin(o->checkpoints);
}
