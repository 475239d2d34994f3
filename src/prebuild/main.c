/* main.c: prebuild FILE: writes the store of functions that are the same in
 * every program. It runs when nncc is built, and has no such store itself. */
#include <stdio.h>

#include "emit/emit.h"

static int failed(const char *what)
{
    fprintf(stderr, "prebuild: %s\n", what);
    return 1;
}

static int put(const char *path, const Str *s)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        return failed("cannot write its file");
    bool ok = fwrite(s->at, 1, s->n, f) == s->n;
    return fclose(f) == 0 && ok ? 0 : failed("cannot write its file");
}

int main(int argc, char **argv)
{
    Arena *a = arena_new();
    Str store = str_new(a);
    const char *error = NULL;
    int status = argc != 2                      ? failed("needs one path")
                 : !prebuild(a, &store, &error) ? failed(error)
                                                : put(argv[1], &store);
    emit_shutdown();
    arena_free(a);
    return status;
}
