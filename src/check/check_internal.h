/* check_internal.h: what the files of check/ share.
 *
 * Checking is abstract interpretation: an expression's value is a tree of graph
 * nodes, a call evaluates the callee's body. Values, types and scopes live in
 * the arena of check_program and are immutable once made (a scope grows). A
 * function that finds an error reports it and returns c->error, false or NULL;
 * whoever meets such a result says nothing more. */
#ifndef NNCC_CHECK_INTERNAL_H
#define NNCC_CHECK_INTERNAL_H

#include "check/check.h"
#include "graph/bound.h"
#include "graph/op.h"

enum {
    MAX_CALLS = 200,     /* calls inside calls */
    MAX_NESTING = 3000,  /* evaluations inside evaluations */
    MAX_WORK = 6000000,  /* expressions evaluated, calls expanded */
    MAX_NODES = 6000000, /* nodes in the graph */
    MAX_PARAMS = 1000,   /* parameters, fields, free variables of one item */
};

typedef struct Check Check;
typedef struct Value Value;
typedef struct Fn Fn;
typedef struct FnInfo FnInfo;
typedef struct Scope Scope;
typedef struct Unit Unit;
typedef struct Entry Entry;
typedef struct Builtin Builtin;
typedef struct Index Index;

/* types */

struct StructDef {
    const StructItem *item;
    Unit *unit;
    bool *is_type;    /* which parameters stand for types */
    bool ready, busy; /* is_type is known; instantiation is under way */
    /* Same fields, other types: what derivatives by all of it are kept in, made
     * when first needed; and is this such a one. */
    StructDef *matrix;
    bool is_matrix;
};

/* values */

typedef enum ValueKind {
    V_error,
    V_tensor,
    V_struct,
    V_tuple,
    V_stack,
    V_fn,
} ValueKind;

/* Constants as written: an integer adapts to any number type, a real to f32 and
 * f64. */
typedef enum Literal { LIT_no, LIT_int, LIT_real } Literal;

struct Value {
    ValueKind kind;
    Literal literal;
    Node *node; /* V_tensor; of a LIT_int in DT_i64 */
    Node *real; /* literals: the same in DT_f64, computed in reals throughout,
                   so   1/2 is 0 as an int and 0.5 as a real */
    const Type *ty; /* V_struct, V_stack; V_tensor: once it was asked for */
    const Value *const *part; /* fields, parts; the elements of a tensor literal
                                 (or NULL) */
    int npart;
    Node *const *leaf; /* V_stack: with the leading dimension */
    const Fn *fn;      /* V_fn */
    int nleaf;
    uint64_t hash;
};

typedef enum FnKind { FK_item, FK_builtin, FK_derivative, FK_remat } FnKind;

struct Fn {
    FnKind kind;
    FnInfo *info; /* FK_item, with what it sees */
    const Scope *scope;
    int limit;
    const Builtin *builtin;
    DerivKind mode; /* FK_derivative of `of` by parameters by[…] */
    const Fn *of;   /* FK_remat too */
    const int *by;
    int nby;
};

typedef enum FnState { FN_unchecked, FN_checking, FN_good, FN_bad } FnState;

/* What is known of a function's text. */
struct FnInfo {
    const FnItem *item;
    const char *name; /* "f"; of an anonymous one "fn" */
    FnState state;
    int active; /* calls being expanded */
    bool called;
    const Fn *custom; /* its `derivative` item as a function, or NULL */
    bool scanned;     /* the fields below are set */
    bool generic;     /* type parameters, functions or untyped parameters */
    bool leading;     /* `..` somewhere among the parameters */
    const char **var; /* dimension variables, in order of appearance */
    Span *var_span;
    const Dim **unknown; /* stands for a variable not yet solved for */
    int nvar;
    bool *sized; /* the int parameters that are dimensions too; set by define */
    /* An evaluation on parameters of the declared types, NULL before. */
    const Value **fresh;
    const Value *result;
};

/* scope.c */

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

/* What stands for an int parameter where a function is checked on its own. */
typedef struct IntParam {
    const Dim *var;     /* or NULL: */
    const Value *value; /* its default */
    bool *sized;        /* set where it becomes a dimension */
} IntParam;

/* One call being expanded. */
typedef struct Frame {
    const FnInfo *info;
    Span span;
    bool define; /* not a call: the function is checked on its own */
    const Value *const *arg; /* of a call */
    bool custom; /* it has a derivative of its own, which is being evaluated */
} Frame;

struct Check {
    Arena *arena;
    Span library; /* the user's call of the library that is under way */
    Diags *diags;
    Intern *names;
    Graph *graph;
    DType real;
    const CheckOptions *options;
    const char *path;
    Unit *main, *prelude;
    LIST(Unit *) unit;
    LIST(Frame) frame;
    LIST(IntParam) int_param;    /* of the functions being checked */
    LIST(const char *) dim_used; /* --dim names that occurred */
    LIST(const Builtin *) builtin;
    Map builtin_by_name;
    bool overflow_told;   /* that a dimension is too large */
    const Span *overflow; /* what first led to one; NULL: nothing yet */
    const Value *error;
    Map done;  /* calls that were evaluated */
    Map infos; /* FnInfo, by its item */
    int nesting;
    int opaque;   /* results made up so far, see call.c */
    int defining; /* functions being checked on their own */
    int64_t work;
    Index *index; /* the innermost over which something is evaluated */
    int branch;   /* around what need not be evaluated for every index */
    int checks;   /* indices that are checked at run time so far */
    LIST(const Expr *) written; /* evaluated index by index before */
    LIST(struct Late) late;     /* index.c */
    struct Places *places;
    int open;    /* evaluations for the types of literals alone, see loop.c, */
    int made_up; /* and results made up in them so far */
    struct Walk *walk; /* indices.c */
    bool unread;       /* some file could not be read or parsed */
    bool over;         /* a budget is used up, and that was reported */
};

struct Program {
    Check check;
    CheckOptions options;
    Module *module;
    const Item *train; /* the one that was met, or NULL */
};

Scope *scope_new(Check *c, const Scope *up, int up_limit, Unit *unit);
void scope_reserve(Check *c, Scope *s, int n); /* room for n, to begin with */
Binding *scope_bind(Check *c, Scope *s, const char *name, Span span,
                    const Value *v);
/* The newest binding of name among the first `limit`, or NULL. */
const Binding *scope_find(const Scope *s, int limit, const char *name);
Found scope_lookup(Check *c, const Scope *s, const char *name, Span at);
/* unknown_in_unit: behind `n.` of `use … as n;`. */
void name_unknown_in(Check *c, const Unit *u, const char *name, Span at);
void name_unknown(Check *c, const Scope *s, const char *name, Span at);
/* Adds to an error that a standard file has the name, if one does. */
void name_std_hint(Check *c, const char *name);
/* The scope whose `..` is meant here, or NULL. */
const Scope *scope_leading(const Scope *s);
const char *name_suggestion(Check *c, const char *name,
                            const char *const *among,
                            int n); /* "; did you mean 'x'?" or "" */

/* unit.c */

Unit *unit_load(Check *c, const char *path, const char *text, size_t len);
const Entry *unit_find(Check *c, Unit *u, const char *name, Span at,
                       bool *clash);
bool unit_check_all(Check *c);
/* A function of the standard library, whether or not the program uses it. */
const Fn *unit_std_function(Check *c, const char *file, const char *name);

/* report.c */

/* Report an error, with notes on the calls that led there: the first line of
 * the text; the others are details. They give c->error, false, NULL. */
const Value *check_fail(Check *c, Span at, const char *kind, const char *fmt,
                        ...) __attribute__((format(printf, 4, 5)));
bool check_refuse(Check *c, Span at, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void *check_none(Check *c, Span at, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* More about the last error; they give c->error: a detail, a place elsewhere,
 * v's type at a place, that and where what e names was declared. */
const Value *check_detail(Check *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
const Value *check_note(Check *c, Span at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
const Value *check_is(Check *c, Span at, const Value *v);
const Value *check_label(Check *c, const Scope *s, const Expr *e,
                         const Value *v);
void check_declared(Check *c, const Scope *s, const Expr *e);

/* value.c */

const Type *type_of_struct(Check *c, const StructDef *d, const TypeArg *arg,
                           const Type *const *part);
const char *type_text(Check *c, const Type *t);
/* n values of type t along a first axis. */
const Type *type_along(Check *c, const Type *t, const Dim *n);
/* t with all texts that the interface shows. */
const Type *type_export(Check *c, const Type *t);
const char *shape_text(Check *c, int rank, const Dim *const *dim);
const char *dtype_text(const Check *c, DType t);

const Value *value_tensor(Check *c, Node *n);
const Value *value_int(Check *c, int64_t v); /* literals */
const Value *value_real(Check *c, double v);
const Value *value_literal(Check *c, Literal l, Node *n, Node *real);
const Value *value_elements(Check *c, const Value *v, const Value *const *part,
                            int n);
const Value *value_tuple(Check *c, Span at, int n, const Value *const *part);
/* The one, or a tuple of several. */
const Value *value_of_parts(Check *c, Span at, int n, const Value *const *part);
const Value *value_struct(Check *c, const Type *t, const Value *const *field);
const Value *value_fn(Check *c, const Fn *f);
const Value *value_dim(Check *c, const Dim *d); /* as an int */
bool value_equal(const Value *a, const Value *b);
/* NULL for functions (and what holds them) and errors. A literal's is int or
 * real. */
const Type *value_ty(Check *c, const Value *v);
const char *value_text(Check *c, const Value *v); /* its type, for messages */
/* Its v->nleaf tensors; literals are settled. */
Node **value_leaves(Check *c, const Value *v);
/* Of several, one after another; absent ones are NULL. There is room for one
 * more. */
Node **values_leaves(Check *c, int n, const Value *const *v, int *total);
const Value *value_of_leaves(Check *c, const Type *t, Node *const *leaf);
/* New inputs for all leaves. */
const Value *value_fresh(Check *c, const Type *t, const char *name);
/* A literal without a context: int or real. */
const Value *value_settle(Check *c, Span at, const Value *v);
bool value_is_error(const Value *v);
bool value_is_scalar(const Value *v); /* tensor of rank 0 */
/* Constant integers and bools. */
bool value_const_int(const Value *v, int64_t *out);
bool value_const_bool(const Value *v, bool *out);

/* types.c */

const StructDef *struct_ready(Check *c, StructDef *d);
const Type *struct_instance(Check *c, const StructDef *d, const TypeArg *arg,
                            Span at);
/* The scope in which an instance's fields are written. */
Scope *struct_scope(Check *c, const StructDef *d, const TypeArg *arg);
const Type *type_eval(Check *c, const Scope *s, const TypeEx *t);
bool dtype_of_name(const Check *c, const char *name, DType *t);
/* An expression in a type argument's place, as a type. */
const TypeEx *type_of_expr(Check *c, const Expr *e);
/* The struct that an expression names, its bracketed arguments if any. */
StructDef *struct_named(Check *c, const Scope *s, const Expr *e,
                        const Expr **index);
StructDef *struct_of_type(Check *c, const Scope *s, const TypeEx *t);
const Dim *dim_of_expr(Check *c, const Scope *s, const Expr *e);
/* e was evaluated: keeps where a dimension became too large. */
void dim_note_overflow(Check *c, const Expr *e);
/* The dimension an int value is; reports where it is none. */
const Dim *dim_of_value(Check *c, const Value *v, Span at);
bool dim_sensible(Check *c, Span at, int rank, const Dim *const *dim);
/* The literal's or tensor's node in dtype t; NULL: it does not adapt. */
Node *value_adapt(Check *c, const Value *v, DType t);
/* v as a value of type t: literals adapt, all else must be equal. NULL: it does
 * not fit, which the caller reports. */
const Value *value_fit(Check *c, const Type *t, const Value *v);
/* The least value of d where every variable is at least 0 (or -INFINITY). */

/* fn.c */

const Fn *fn_item(Check *c, const FnItem *item, const Scope *s, int limit);
FnInfo *fn_info(Check *c, const FnItem *f);
void fn_scan(Check *c, const Fn *f); /* what its signature says */
int fn_nparam(const Fn *f);
bool fn_takes(const Fn *f, int n); /* can it be called with n arguments */
const char *fn_param_name(Check *c, const Fn *f, int i);
Span fn_param_span(const Fn *f, int i);
bool fn_param_optional(const Fn *f, int i);
const char *fn_name(Check *c, const Fn *f); /* "loss", "grad(loss, net)" */
Span fn_span(const Fn *f);
bool fn_equal(const Fn *a, const Fn *b);
bool fn_same_text(const Fn *a, const Fn *b); /* whatever they see */
uint64_t fn_hash(const Fn *f);

/* bind.c */

typedef struct Operand {
    const Value *value;
    Span span;
    const Expr *expr; /* or NULL */
} Operand;

typedef struct Arguments {
    const Value **value; /* one a parameter; NULL: its default */
    Span *span;
    const Expr **expr; /* or NULL */
    int n;
    Span at;            /* the call */
    const Scope *scope; /* the caller's, for notes; or NULL */
    /* What stands where a builtin takes any number. */
    Operand *rest;
    int nrest;
} Arguments;
/* Bind parameters, dimension variables and type parameters in s; args->value
 * becomes what the parameters hold. */
bool bind_arguments(Check *c, const Fn *f, Scope *s, Arguments *args);
/* Parameters of the declared types, on new inputs. For an export, --dim
 * applies, and ints are inputs but for those that are used as a dimension;
 * otherwise a plain int stands for any dimension, so that it may be. */
bool bind_fresh(Check *c, const Fn *f, Scope *s, bool export,
                const Value **value);
bool type_names_int(const TypeEx *t);

/* expr.c */

const Value *eval(Check *c, const Scope *s, const Expr *e);
const Value *eval_block(Check *c, const Scope *s, const Block *b);
const Value *eval_entry(Check *c, const Entry *e, Span at);
bool check_budget(Check *c, Span at);
int64_t check_most_nodes(const Check *c);
/* arith.c */

const Value *eval_unary(Check *c, const Scope *s, const Expr *e);
const Value *arith_binary(Check *c, const Scope *s, BinaryOp op, Span at,
                          const Operand *l, const Operand *r);
/* An elementwise operator on n operands, with broadcasting, over leaves. */
const Value *arith_elementwise(Check *c, const Scope *s, OpId op,
                               const char *name, Span at, int n,
                               const Operand *x);
/* The operands (tensors) in one dtype, one of those in mask; false after
 * reporting. */
bool arith_unify(Check *c, const Scope *s, const char *name, Span at, int n,
                 const Operand *x, unsigned mask, Node **out);
/* The common shape, and the nodes broadcast to it. */
bool arith_broadcast(Check *c, const Scope *s, const char *name, Span at, int n,
                     const Operand *x, Node **node);
/* How to mend a value of another element type than wanted, if it is one. */
void type_convert_hint(Check *c, const Type *want, const Value *v);
Node *arith_spread(Check *c, Node *a, int rank, const Dim *const *dim);
const Value *arith_where(Check *c, const Scope *s, Span at, const Operand *x);
const Value *arith_if(Check *c, const Scope *s, Span at, Node *cond,
                      const Operand *a, const Operand *b);

/* literal.c */

const Value *eval_tensor(Check *c, const Scope *s, const Expr *e);
/* Values of one type along a new first axis. */
const Value *literal_stack(Check *c, const Scope *s, Span at, int n,
                           const Operand *x);

/* indices.c */

/* The index of a comprehension, a reduction or a loop while its body is
 * evaluated: an int of its own in the graph. */
struct Index {
    Index *up;
    const char *name;
    Span span;
    Node *param;
    const Dim *extent; /* 0 … extent-1; NULL: not known yet */
    bool given;        /* the extent is written; otherwise it is inferred */
    Span from;         /* where */
    /* The bound where that is no dimension; the extent is what it is at most.
     */
    Node *bound;
    Span bound_span;
    const Dim *var; /* range.c */
    int branch;     /* c->branch where each of its values is evaluated */
    int since;      /* the first id of what varies with it */
    int frame;      /* calls under way around the body */
    int defining;   /* functions being checked on their own around it */
    /* What the body calls although it is a part of it, or NULL. */
    const FnInfo *recursive;
    const Expr *of;  /* what it is an index of */
    const Scope *in; /* where it is bound */
};

/* A new index b, bound in s; x->extent or x->bound from b's bound. False after
 * reporting. */
bool index_new(Check *c, Scope *s, const Binder *b, const Expr *of, Index *x);
void index_push(Check *c, Index *x);
void index_pop(Check *c, Index *x);
/* Its extent must be known now; false after reporting. */
bool index_known(Check *c, const Index *x);
/* A subscript into a dimension of d: where it is an index itself, that is its
 * extent. False after reporting a second extent. */
bool index_seen(Check *c, Node *i, const Dim *d, Span at);
/* Is a call of f, with these arguments, part of a body that f evaluates? Such
 * bodies are evaluated for each value of the index instead. */
bool index_recursion(Check *c, const FnInfo *f, const Value *const *arg);
/* What the bound is at run time, at most x->extent. */
Node *index_bound(Check *c, const Index *x);
/* The values of an index that are written out; -1 after reporting. */
int64_t index_count(Check *c, const Scope *s, const Binder *b, const Index *x);

/* Bits for the active indices that n depends on. */
uint64_t index_mask(Check *c, Node *n);
/* Does n depend on a parameter with at least this id? */
bool index_depends(Check *c, const Node *n, int since);
/* The active index that n is, or NULL. */
Index *index_of(Check *c, const Node *n);
/* The greatest rank among the nodes from `first` on that the roots need: what
 * an index may change. */
int index_greatest_rank(Check *c, const Node *first, int n, Node *const *root);

/* binder.c: bodies that are evaluated once, for every value of an index. */

const Value *eval_comp(Check *c, const Scope *s, const Expr *e);
const Value *eval_reduce(Check *c, const Scope *s, const Expr *e);

/* place.c */

/* What is being evaluated to become a region, from the inside out. */
typedef struct Place Place;
struct Place {
    Place *up;
    const void *of; /* a loop, or what is called */
    bool remat;
    int depth; /* inside of itself */
};
void place_enter(Check *c, Place *p, const void *of, bool remat);
void place_leave(Check *c);
/* The parameter of like's type and that number in the innermost: when there was
 * none, a new one or (name is NULL) `like` itself. */
Node *place_param(Check *c, int number, Node *like, const char *name);

/* loop.c */

const Value *eval_loop(Check *c, const Scope *s, const Expr *e);

/* range.c */

typedef enum Inside { IN_maybe, IN_surely, IN_never, IN_late } Inside;

/* Where i … i+reach-1 lies in 0 … d-1, for all values of the active indices.
 * IN_never: not all inside for sure; they go from lo to hi. IN_late: that
 * cannot be told before the extent of an index is known. */
Inside range_inside(Check *c, Node *i, const Dim *reach, const Dim *d,
                    const Dim **lo, const Dim **hi);
/* Is place i inside d because the active indices have any values? Else it may
 * be up to *below below 0 and *above above d-1. */
bool range_reached(Check *c, const Dim *i, const Dim *d, const Dim **below,
                   const Dim **above);
bool range_not_negative(Check *c, Node *i);
/* What an int is at most (or more, where that may be negative); NULL: nothing
 * is known. */
const Dim *range_most(Check *c, Node *i);
/* hi - lo where that is a dimension, else NULL; text: what it is. */
const Dim *range_difference(Check *c, Node *hi, Node *lo, const char **text);
/* How far x goes at most where i, which is asked for at all its values, is an
 * index into a dimension of d; NULL: that does not say. */
const Dim *range_extent(Check *c, const Index *x, Node *i, const Dim *d);
/* index.c */

/* A check that was made before it was known how far an index goes. */
typedef struct Late {
    Index *index; /* the innermost then */
    Node *i;
    const Dim *reach, *d;
    Span at;
    const Scope *s;
    const Expr *expr; /* what is indexed */
    const Value *of;
} Late;

const Value *eval_index(Check *c, const Scope *s, const Expr *e);
/* The late ones from number `from` on, at the end of a body: false after
 * reporting that one is never inside. */
bool index_late(Check *c, int from);

/* call.c */

typedef struct CallArg {
    const char *name; /* or NULL */
    Span name_span;
    const Value *value;
    Span span;
    const Expr *expr; /* or NULL */
} CallArg;

typedef struct Call {
    Span at;
    CallArg *arg;
    int narg;
    const Scope *scope;
} Call;

const Value *eval_call(Check *c, const Scope *s, const Expr *e);
/* f(first, …) with what is written between the parentheses of `call`. */
const Value *call_with(Check *c, const Scope *s, const Fn *f,
                       const Value *first, const Expr *call);
/* Call with values for the parameters; a->value is changed. */
const Value *fn_apply(Check *c, const Fn *f, Arguments *a);
/* The same with all values known. */
const Value *fn_apply_to(Check *c, const Fn *f, const Value *const *value,
                         Span at);
Arguments args_new(Check *c, int n, Span at, const Scope *s);
Arguments args_copy(Check *c, const Arguments *a, int n); /* the first n */
/* Is it a call of f with the same functions as these arguments? With others, it
 * is no recursion: newton of a function that calls newton, say. */
/* Where a node comes from that is made at `at` of s: what the library makes,
 * from the user's call of it. */
Span scope_user_span(const Check *c, const Scope *s, Span at);
bool frame_calls(const Frame *frame, const FnInfo *f, const Value *const *arg);
/* Check a function on its own, once. */
void fn_define(Check *c, const Fn *f);
/* Arguments for all parameters on new inputs; NULL after an error. */
const Value **fn_fresh(Check *c, const Fn *f);

/* construct.c */

const Value *construct_struct(Check *c, const Scope *s, StructDef *d,
                              const Expr *index, const Expr *call);
/* v in every leaf of type t: of its shape, or broadcast to it; NULL after
 * reporting. */
const Value *value_fill(Check *c, const Type *t, const Value *v, Span at);
/* A value of the type by its fields' initialisers; random leaves take keys
 * split off `key`, numbered on from *number. Without a key random ones are an
 * error. */
const Value *construct_initial(Check *c, const Type *t, Node *key,
                               int64_t *number, Span at);

/* builtin.c, tensor.c, random.c */

enum { MAX_GIVEN = 4 };

/* What the parameter's type in the table asks for. */
typedef struct Given {
    Node *node; /* a tensor or a key */
    int axis;   /* -1: left out */
    bool on;
    int rank; /* a shape; an extent is one of rank 1 */
    const Dim *dim[MAX_RANK];
} Given;

typedef struct BuiltinParam {
    const char *name;
    char type; /* see builtin.c */
    bool optional;
} BuiltinParam;

typedef struct BuiltinCall {
    const Builtin *fn;
    Operand x[MAX_GIVEN]; /* value NULL: it was left out */
    Given given[MAX_GIVEN];
    Span at;
    const Scope *scope;
    const Operand *rest; /* what stands where it takes any number */
    int nrest;
} BuiltinCall;

typedef const Value *BuiltinRun(Check *c, const BuiltinCall *call);

struct Builtin {
    const char *name;
    BuiltinRun *run;
    OpId op;          /* of a reduction or an elementwise function */
    bool mean;        /* op's result divided by the number of elements */
    int nparam, rest; /* rest: which takes any number of arguments, or -1 */
    BuiltinParam param[MAX_GIVEN];
};

/* The reduction that `fn(i | e)` means; NULL after reporting. */
const Builtin *reduction_named(Check *c, const Expr *fn);
unsigned reduction_takes(const Builtin *b); /* ON_… */
const char *reduction_takes_text(const Builtin *b);
/* The operator that joins two values, or NOPS: there is none. */
OpId reduction_join(const Builtin *b);
bool reduction_of_nothing(const Builtin *b); /* has that a value */
bool reduction_is_position(const Builtin *b);

const Builtin *builtin_find(Check *c, const char *name);
int builtin_names(Check *c, const char **to, int max);
const Value *builtin_call(Check *c, const Builtin *b, const Arguments *a);
const Value *builtin_constant(Check *c, const char *name);
/* fold and scan, which are no functions. */
bool builtin_is_loop(const char *name);
const Value *builtin_needs_binders(Check *c, Span at, const char *name);

BuiltinRun run_reshape, run_transpose, run_broadcast, run_concat, run_stack,
    run_pad, run_flip, run_moveaxis, run_argsort, run_take_along, run_full,
    run_iota, run_onehot, run_expand, run_stop, run_draw, run_bernoulli,
    run_split, run_key;
/* A shape argument: [b, 64], (b, 64) or one int; at most MAX_RANK. */
bool arg_shape(Check *c, const Operand *x, int *rank, const Dim **dim);
/* Is x, whose node is n, one key; false after reporting. */
bool arg_key(Check *c, const Builtin *b, const Operand *x, const Node *n);
bool arg_axis(Check *c, const Builtin *b, const Operand *x, int rank,
              int *axis);

/* random.c */

/* n keys derived from a key, in a tensor. */
Node *random_keys(Check *c, Node *key, const Dim *n);

/* einsum.c */

/* The arguments after the text. */
const Value *run_einsum(Check *c, const Expr *text, const Call *call);

/* derive.c */

const Value *eval_derivative(Check *c, const Scope *s, DerivKind mode,
                             const Expr *call);
const Value *fn_apply_derivative(Check *c, const Fn *f, Arguments *a);
/* Arguments as f's parameters hold them: literals in their types, defaults
 * filled in; false after reporting. */
bool fn_coerce(Check *c, const Fn *f, Arguments *a);
const DerivMode *deriv_mode(const Fn *f);
/* x in the place of the pattern's %s. */
const char *deriv_named_after(Check *c, const char *pattern, const char *x);
/* How many parameters a derivative has beyond its function's. */
int deriv_extra_params(const Fn *f);
const char *deriv_param_name(Check *c, const Fn *f, int i);
/* Is every leaf real? */
bool type_all_real(Check *c, const Type *t);
/* Reports the first that is not. */
bool value_all_real(Check *c, const Value *v, Span at, const char *what);

/* program.c */

Expr *program_read(Check *c, const char *text);
/* vjp of f by all parameters that hold reals; NULL: none does. */
const Fn *deriv_by_reals(Check *c, const Fn *f);

/* custom.c */

const Value *eval_remat(Check *c, const Scope *s, const Expr *call);
const Value *fn_apply_remat(Check *c, const Fn *f, Arguments *a);
/* A call of a function with a `derivative` item; the arguments are bound. */
const Value *fn_apply_custom(Check *c, const Fn *f, const Arguments *a);
/* Let the item be the derivative of the function of u that it names. */
void unit_attach_derivative(Check *c, Unit *u, const Item *item);

/* export.c, train.c */

/* f on inputs of its own as a function of the module; result: what its result
 * is called. NULL after an error. */
Function *function_build(Check *c, const Fn *f, const char *name,
                         const char *result, Span at);
Function *function_new(Check *c, FunctionKind kind, const char *name, Span at);
void function_param(Check *c, Function *f, const char *name, const Value *v,
                    Span span);
/* n is a constant. */
void port_default(Port *to, const Node *n);
/* Parameter i of f, with its default if that is a number. */
void function_fn_param(Check *c, Function *to, const Fn *f, int i,
                       const Value *v, Span at);
/* A result; the parts of a tuple are results of their own. */
void function_result(Check *c, Function *f, const char *name, const Value *v,
                     Span span);
/* Free variables, names that C can tell apart; false after reporting. */
bool function_finish(Check *c, Function *f);
void export_add(Program *p, Function *f, Span at);
void export_all(Program *p);
void export_train(Program *p, const Item *item);

#endif
