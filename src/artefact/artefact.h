/* artefact.h: what is made of a module beside its code: the header, JSON and
 * the shared library. Knows C, and no machine. */
#ifndef NNCC_ARTEFACT_H
#define NNCC_ARTEFACT_H

#include "kernel/kernel.h"
#include "nn_abi.h"

/* A module's functions, scheduled: schedule[i] is of m->function.at[i] for
 * exported ones. What a JIT is given may hold others too (primals for check, a
 * function that run was asked for); it describes just those of its list. */
typedef struct ModuleInput {
    const Module *module;
    Schedule *const *schedule;
    int nschedule;
} ModuleInput;

/* header.c: the C header, C99 and C++. */
void header_text(const ModuleInput *in, Str *to);
/* json.c: the same facts as the descriptor, as JSON. */
void interface_json(const ModuleInput *in, Str *to);

/* values.c: a header that defines `static const MODULE_Type MODULE_name`, from
 * its leaves, row by row each. NULL, or what is wrong with the type: "has no
 * fixed size …". */
const char *value_header(const Module *m, const char *name, const Type *t,
                         const void *const *leaf, Str *to);

/* layout.c: the C type that a value of the language has. */
typedef struct Layout {
    size_t size, align; /* of a fixed type; size 0 otherwise */
    int nleaf;
    int64_t *offset; /* of each leaf; -1 in structs of pointers */
} Layout;
Layout type_layout(Arena *a, const Type *t);

/* A part of a module's machine code: an object file. */
typedef struct Object {
    const char *bytes;
    size_t n;
} Object;
/* elf.c: the bytes of a shared library made of objects; false where that takes
 * a linker. */
bool elf_link(Arena *a, const Object *object, int n, const char *soname,
              Object *to);
/* link.c: a shared library from objects, written to path through a temporary
 * file beside it that is renamed, so path is never half-written. linker: a
 * program name; or NULL: none where elf_link knows all that is in the objects,
 * or the first found of ld, ld.lld, cc. name: what
 * messages call it. soname: the library's own name, or NULL for none. */
bool link_objects(const char *path, const char *name, const char *soname,
                  const Object *object, int nobject, const char *linker,
                  const char **error);

#endif
