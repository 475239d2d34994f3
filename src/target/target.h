/* target.h: the machines that there is code for. */
#ifndef NNCC_TARGET_H
#define NNCC_TARGET_H

#include "hardware/hardware.h"

typedef struct TargetOptions {
    const char *cpu;      /* "native", "x86-64-v3", …; never NULL */
    const char *target;   /* triple, or NULL for this machine's */
    const char *folder;   /* line tables, of sources whose paths are relative to
                             this one; NULL: none */
    bool times;           /* the cycles of each kernel are added up */
    const char *schedule; /* settings asked for, as --dump=schedule prints them;
                             NULL: none */
    const char *schedule_name; /* of the file that they are from */
    bool quick;   /* without any effort; it is linked with what the effort
                     makes */
    int optimise; /* 0 … 3, or: */
} TargetOptions;
enum { EFFORT_default = -1, EFFORT_size = 4 };

/* The CPU that code for a triple (NULL: this machine's) is for where none is
 * asked for; of code to be loaded it may be a list. */
const char *target_default_cpu(Arena *a, const char *target, bool loaded);
/* rows.c: a table of the machines that there is code for, as text. */
void target_table(Arena *a, Str *to);

/* levels.c: a module for several levels of x86-64, chosen among when it is
 * loaded. */

enum { MAX_LEVELS = X86_LEVELS };
/* The levels that a module is made for, from the lowest; or one CPU of any
 * name, as it was given. */
typedef struct Levels {
    int n;
    const char *name[MAX_LEVELS];
    int need[MAX_LEVELS]; /* what level_detect must give for it */
} Levels;
bool levels_parse(Arena *a, const TargetOptions *o, Levels *l,
                  const char **error);
/* o for another CPU, in a. */
const TargetOptions *with_cpu(Arena *a, const TargetOptions *o,
                              const char *cpu);

#endif
