/* suite.c: see suite.h. */
#include "suite.h"
#include "base/base.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int run_suite(Suite *s)
{
    SRunner *r = srunner_create(s);
    setenv("NNCC_CACHE", "", 1); /* code is made, not found */
    srunner_run_all(r, CK_ENV);  /* CK_NORMAL where nothing is set */
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

char *file_text(Arena *a, const char *path)
{
    FILE *f = fopen(path, "rb");
    size_t n;

    ck_assert_msg(f != NULL, "%s is not there", path);
    char *text = read_stream(a, f, SIZE_MAX - 1, &n);
    fclose(f);
    return text;
}
