/* fmt.c: nncc fmt: files laid out in the one way there is. */

#include "syntax/fmt.h"
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_SOURCE = 16 << 20 };

typedef enum Done { DONE_same, DONE_changed, DONE_failed } Done;

static Done format(Arena *a, const char *path, bool check)
{
    bool in = !strcmp(path, "-");
    Diags *d = diags_new(a);
    Str out = str_new(a);
    size_t n;
    char *text = file_read(a, path, MAX_SOURCE, &n);

    if (!text)
        return DONE_failed;
    const Source *s = diags_source(d, in ? "<stdin>" : path, text, n);
    if (!format_source(a, d, s, &out)) {
        diags_print(d, stderr, cli_colour(stderr));
        return DONE_failed;
    }
    bool same = out.n == n && !memcmp(out.at, text, n);
    if (in && !check)
        fwrite(out.at, 1, out.n, stdout);
    else if (!same && !check && !file_write(a, path, out.at, out.n))
        return DONE_failed;
    return same ? DONE_same : DONE_changed;
}

static int fmt(Args *a)
{
    bool check = option_value(a, "check") != NULL;
    int status = EXIT_SUCCESS;

    for (int i = 0; i < a->word.n; i++) {
        Arena *own = arena_new();
        Done done = format(own, a->word.at[i], check);
        if (done == DONE_changed && check)
            printf("%s\n", a->word.at[i]);
        if (done == DONE_failed || (done == DONE_changed && check))
            status = EXIT_FAILURE;
        arena_free(own);
    }
    return status;
}

static const Option options[] = {
    {"check", 0, NULL, "change nothing; list the files that are not laid out"},
    {NULL, 0, NULL, NULL},
};

const Command command_fmt = {
    .name = "fmt",
    .usage = "fmt FILE.nn… [options]",
    .about =
        "Lays files out in the one way there is, in place; '-' stands for "
        "standard input\nand output. Comments and single empty lines stay. "
        "A file that is no program is\nnot touched. With --check it fails "
        "where a file is not laid out so.",
    .option = options,
    .run = fmt,
};
