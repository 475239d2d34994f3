/* scope.h: what names mean: in a scope, in a file and in those that it uses. */
#ifndef NNCC_SCOPE_H
#define NNCC_SCOPE_H

#include "check/check_internal.h"

typedef struct Binding {
    const char *name;
    Span span;
    const Value *value; /* or a type parameter's: */
    const Type *ty;
    const Entry *entry; /* in a unit's scope */
    int older;          /* binding of the same name, or -1 */
} Binding;

struct Scope {
    const Scope *up; /* NULL: the unit is next */
    int up_limit;    /* bindings of `up` that are seen */
    Unit *unit;
    LIST(Binding) binding;
    Map names; /* of many: the newest of each name */
    /* `..` of the function that this is the outermost scope of. */
    bool has_leading;
    int nleading;
    const Dim *const *leading;
    const FnItem
        *signature; /* whose parameters are being bound here, or NULL */
};

typedef enum EntryKind { EN_const, EN_struct, EN_fn, EN_unit } EntryKind;

/* An item with a name. */
struct Entry {
    EntryKind kind;
    const char *name;
    Span span;
    Unit *unit;
    const Item *item;
    bool busy;          /* EN_const: its value is being computed */
    const Value *value; /* EN_const, EN_fn; NULL until asked for */
    StructDef *def;     /* EN_struct */
    Unit *names;        /* EN_unit: `use x as n` */
};

/* A file. */
struct Unit {
    const char *name, *path;
    const Source *source;
    Ast *ast;
    bool std;
    Scope *scope;     /* its items */
    LIST(Unit *) use; /* whose names it sees directly */
    bool loading;
};

/* What a name means; all NULL: nothing. */
typedef struct Found {
    const Binding *local;
    const Entry *entry;
    const Builtin *builtin;
    bool clash; /* reported */
} Found;

/* scope.c */

Scope *scope_new(Check *c, const Scope *up, int up_limit, Unit *unit);
void scope_reserve(Check *c, Scope *s, int n); /* room for n, to begin with */
Binding *scope_bind(Check *c, Scope *s, const char *name, Span span,
                    const Value *v);
/* The newest binding of name among the first `limit`, or NULL. */
const Binding *scope_find(const Scope *s, int limit, const char *name);
Found scope_lookup(Check *c, const Scope *s, const char *name, Span at);
/* name_unknown_in: behind `n.` of `use … as n;`. */
void name_unknown_in(Check *c, const Unit *u, const char *name, Span at);
void name_unknown(Check *c, const Scope *s, const char *name, Span at);
/* Adds to an error that a standard file has the name, if one does. */
void name_std_hint(Check *c, const char *name);
/* What a name of NumPy's, JAX's or PyTorch's is written as here, or NULL. */
const char *foreign_hint(const char *name);
/* The scope whose `..` is meant here, or NULL. */
const Scope *scope_leading(const Scope *s);
const char *name_suggestion(Check *c, const char *name,
                            const char *const *among,
                            int n); /* "; did you mean 'x'?" or "" */

/* unit.c */

Unit *unit_load(Check *c, const char *path, const char *text, size_t len);
const Entry *unit_find(Check *c, Unit *u, const char *name, Span at,
                       bool *clash);
/* The user's items, or the library's, one after another; NULL: no more. */
typedef struct ItemAt {
    bool std;
    int unit, item;
} ItemAt;
const Entry *unit_next(Check *c, ItemAt *at);
/* Could all files be read and parsed? */
bool unit_all_read(Check *c);
/* Of the texts of all. */
uint64_t unit_hash(Check *c);
/* Evaluates the user's consts and looks at the structs. */
void unit_check_all(Check *c);
/* A function of the standard library, whether or not the program uses it. */
const Fn *unit_std_function(Check *c, const char *file, const char *name);

#endif
