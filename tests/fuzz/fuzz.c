/* fuzz.c: any text, through scanner, parser, checker and formatter: none may
 * crash, hang or use memory without bound. Under libFuzzer: make fuzz. */
#include "check/check.h"
#include "syntax/fmt.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Messages are printed, too, and thrown away. */
static void print_messages(const Diags *d)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    if (f) {
        diags_print(d, f, false);
        fclose(f);
    }
    free(text);
}

static void check(const char *text, size_t n)
{
    const CheckOptions o = {.real = DT_f32, .work = 20000};
    Arena *a = arena_new();
    Diags *d = diags_new(a);

    check_program(a, d, "fuzz.nn", text, n, &o);
    print_messages(d);
    arena_free(a);
}

static void format(const char *text, size_t n)
{
    Arena *a = arena_new();
    Diags *d = diags_new(a);
    Str s = str_new(a);

    format_source(a, d, diags_source(d, "fuzz.nn", text, n), &s);
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *text = calloc(n + 1, 1); /* the sources end in a zero */

    if (!text)
        return 0;
    for (size_t i = 0; i < n; i++)
        text[i] = (char)data[i];
    check(text, n);
    format(text, n);
    free(text);
    return 0;
}
