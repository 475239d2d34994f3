/* main.c: WHAT MODEL.so FUNCTION PEER TARGET NAME=SIZE…: how many times as long
 * a function takes as another one of the module, which is called m. Sizes of
 * dimensions that a function does not have are passed over. TARGET "workspace
 * <= X": how many times as large its workspace is as its parameters. */
#include "rows.h"

#include <dlfcn.h>

#include "nn_abi.h"

#include "call.h"

/* What NAME=SIZE says. */
static int64_t size_of(const char *name, char **sizes)
{
    size_t n = strlen(name);

    for (; *sizes; sizes++)
        if (strncmp(*sizes, name, n) == 0 && (*sizes)[n] == '=')
            return atoll(*sizes + n + 1);
    fprintf(stderr, "no size %s\n", name);
    exit(2);
}

/* A parameter that is a size has it. */
static void give_sizes(Call *c)
{
    int leaf = 0;

    for (int i = 0; i < c->f->nparam; leaf += c->f->param[i++]->nleaf)
        for (int d = 0; d < c->f->ndim; d++)
            if (strcmp(c->f->param[i]->name, c->f->dim[d]) == 0)
                *(int32_t *)c->leaf[leaf] = (int32_t)c->dims[d];
}

static Call call_named(const nn_module *m, const char *name, char **sizes)
{
    const nn_function *f = find(m, name);
    int64_t dims[MOST_DIMS];

    for (int i = 0; i < f->ndim; i++)
        dims[i] = size_of(f->dim[i], sizes);
    Call c = call_of(f, dims, -0.5);
    give_sizes(&c);
    return c;
}

static void tell_workspace(const char *what, const Call *c, const char *target)
{
    size_t given = 0;

    for (int i = 0; i < c->nparam; i++)
        given += c->bytes[i];
    printf("%s\tits parameters\t%.3g\t\t%s\t%zu : %zu bytes\n", what,
           (double)c->room / (double)given, target, c->room, given);
}

int main(int argc, char **argv)
{
    const nn_module *(*module)(void) = NULL;
    void *library = argc > 5 ? dlopen(argv[2], RTLD_NOW) : NULL;

    if (library)
        *(void **)&module = dlsym(library, "m_module");
    if (!module)
        return 2;
    pin();
    Call ours = call_named(module(), argv[3], argv + 6);
    if (strncmp(argv[5], "workspace ", 10) == 0) {
        tell_workspace(argv[1], &ours, argv[5] + 10);
        return 0;
    }
    Call peer = call_named(module(), argv[4], argv + 6);
    row(argv[1], argv[4], (Way[]){{run_call, &ours}, {run_call, &peer}}, 2,
        argv[5]);
    return 0;
}
