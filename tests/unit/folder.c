/* folder.c: see folder.h. */
#include "folder.h"
#include "nn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char folder[64] = "/tmp/nn_test_XXXXXX";

void folder_make(void)
{
    if (mkdtemp(folder))
        return;
    perror(folder);
    exit(EXIT_FAILURE);
}

int folder_run(Suite *s)
{
    int failed = run_suite(s);
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) != 0 ? EXIT_FAILURE : failed;
}

const char *path_of(const char *name)
{
    static char buf[8][128];
    static int next;
    char *p = buf[next++ % 8];

    snprintf(p, sizeof buf[0], "%s/%s", folder, name);
    return p;
}

const char *write_bytes(const char *name, const void *bytes, size_t n)
{
    const char *path = path_of(name);
    FILE *f = fopen(path, "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
    return path;
}

const char *write_text(const char *name, const char *text)
{
    return write_bytes(name, text, strlen(text));
}

char *read_bytes(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    char *bytes = malloc(1 << 20);

    ck_assert_ptr_nonnull(f);
    ck_assert_ptr_nonnull(bytes);
    *n = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    return bytes;
}

bool said(const char *part)
{
    if (strstr(nncc_last_error(), part))
        return true;
    fprintf(stderr, "the error is: %s\n", nncc_last_error());
    return false;
}
