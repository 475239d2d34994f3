/* levels.h: one module for several levels of x86-64; and how the files that put
 * a module together share the work. */
#ifndef NNCC_LEVELS_H
#define NNCC_LEVELS_H

#include "artefact/interface.h"
#include "emit/emit_internal.h"

/* The functions PREFIX__call get a suffix that tells their level. */
void level_rename(Emit *e, const Interface *interface, const char *level);
/* Declares those of a level that is in another object. */
void level_declare(Emit *e, const Interface *interface, const char *level);
/* Moves the code of `other`, made for a higher level, into e; other is left
 * empty. */
void level_merge(Emit *e, Emit *other, const Interface *interface,
                 const char *level);
/* An ifunc PREFIX__call: the loader asks once, through a resolver, which
 * level's to use. */
LLVMValueRef level_choose(Emit *e, const CFunction *f, const Levels *l,
                          LLVMValueRef detect);

/* unit.c */

/* The kernels of all functions: for all levels, before any is built. */
Units *units_new(Arena *a, const Interface *interface);
/* e builds these: all of them, or what is in its share. */
void units_use(Emit *e, const Units *u, const Sharing *s);

/* schedules.c */

/* Fills e's chooser with the settings that are asked for. False with *error set
 * where they name no kernel, or are none. */
bool schedules_ask(Emit *e, const char **error);
/* Are those that o asks for schedules of these kernels, on every machine. */
bool schedules_legal(Arena *a, const ModuleInput *in, const TargetOptions *o,
                     const char **error);

/* share.c */

/* What share `share` of nshare has, the first of which has so much more; the
 * same in all parts of one level. Share `around` has what surrounds the
 * kernels: where that is none of those, also the kernels that hardly do more
 * than call. suffix: what the level's functions end in, or "". */
const Sharing *share_out(Emit *e, const Units *u, int share, int nshare,
                         int around, int64_t more, const char *suffix);
/* Of the code around kernels, which is long but quickly compiled. */
int64_t weight_around(const Interface *interface);
/* A part for each of h, of which this is one. */
const Sharing *share_each(Emit *e, const Helpers *h, int share,
                          const char *suffix);
/* Builds the kernels and helpers of e's share. */
void emit_share(Emit *e);

/* module.c */

/* All functions of the interface, for e's machine; of kernels those that are in
 * e's share. */
void emit_functions(Emit *e, const Interface *interface);
/* What C sees of them: the code of all levels is there or declared. */
void emit_public(Emit *e, const Interface *interface, const Levels *l);
/* All but what C sees becomes internal: what has a dot in its name, which no C
 * identifier has. */
void make_internal(LLVMModuleRef module);
/* Each function's own CPU, and that it neither unwinds nor is to be turned into
 * calls of the C library. */
void mark_functions(Emit *e);

/* parts.c: makes n things of that size, as many at a time as there are
 * processors; each goes on alone. */
void in_threads(void (*make)(void *one), void *at, size_t size, int n);

/* speed.c: double arithmetic(double *, i64) and reading(T *, i64), which do as
 * much as they can of one thing. */
bool speed_object(Arena *a, DType real, const TargetOptions *o, Object *out,
                  SpeedUnits *units, const char **error);

#endif
