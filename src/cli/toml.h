/* toml.h: a file of settings, as TOML. */
#ifndef NNCC_TOML_H
#define NNCC_TOML_H

#include "base/base.h"

typedef enum TomlKind { TOML_string, TOML_number, TOML_bool } TomlKind;

/* One value; those of an array are entries with the same key and place. */
typedef struct TomlEntry {
    const char *key;  /* behind its table's: "settings.lr" */
    const char *text; /* a number as it is written, "true", "false" */
    TomlKind kind;
    int line; /* from 1 */
} TomlEntry;

typedef LIST(TomlEntry) Toml;

/* Tables, and values that are strings in one line, decimal numbers, booleans
 * and arrays of these. What else TOML has is refused. NULL, or what is wrong
 * and where: "3: 'lr' is there twice". */
const char *toml_read(Arena *a, const char *text, Toml *to);
bool toml_is_number(const char *text);

#endif
