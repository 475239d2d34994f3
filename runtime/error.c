/* error.c: statuses and the thread's error text. */
#include "nn_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 1024 };

static _Thread_local char error_text[TEXT_BYTES];

const char *nncc_last_error(void) { return error_text; }

/* A control character would break the promise of one line. */
static void make_one_line(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < ' ' || *s == 127)
            *s = '?';
}

int nncc_fail(int status, const char *fmt, ...)
{
    char text[TEXT_BYTES];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0)
        text[0] = '\0';
    else if (n >= TEXT_BYTES)
        memcpy(text + TEXT_BYTES - 4, "...", 4);
    make_one_line(text);
    memcpy(error_text, text, sizeof text);
    return status;
}

int nncc_fail_memory(size_t bytes, const char *what)
{
    return nncc_fail(NN_ERR_MEMORY, "no memory for %zu bytes of %s", bytes,
                     what);
}

const char *nncc_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } table[] = {
        {NN_OK, "no error"},
        {NN_ERR_NULL, "null pointer where data is needed"},
        {NN_ERR_DIM, "dimension negative, too large, or zero where divided by"},
        {NN_ERR_WORKSPACE, "workspace missing or not 64-byte aligned"},
        {NN_ERR_INDEX, "label or index out of range"},
        {NN_ERR_NUMBER, "loss or gradient infinite or not a number"},
        {NN_ERR_MEMORY, "no memory left"},
        {NN_ERR_ARGUMENT, "bad option or argument"},
        {NN_ERR_FILE, "file cannot be read"},
        {NN_ERR_MODULE, "no module compiled by nncc"},
        {NN_ERR_NAME, "no such name"},
        {NN_ERR_SHAPE, "shape does not fit"},
        {NN_ERR_TYPE, "dtype does not fit"},
        {NN_ERR_DATA, "bad data"},
        {NN_ERR_DIVERGED, "training diverged"},
        {NN_ERR_RANK, "another process of the training failed"},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].status == status)
            return table[i].text;
    return "unknown status";
}
