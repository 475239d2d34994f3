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

enum { MAX_PARAMS = 1000 /* parameters, fields, free variables of one item */ };

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
                   so 1/2 is 0 as an int and 0.5 as a real */
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

typedef struct FnParam {
    const char *name;
    Span span; /* nowhere where the language has it */
    bool optional;
} FnParam;

struct Fn {
    FnKind kind;
    const FnParam *param;
    int nparam;
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
    const FnParam *param;
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

/* The files that keep something to themselves. */
typedef enum Owner {
    OWN_bind,
    OWN_binder,
    OWN_budget,
    OWN_builtin,
    OWN_call,
    OWN_fn,
    OWN_frame,
    OWN_index,
    OWN_indices,
    OWN_place,
    OWN_sizes,
    OWN_sparse,
    OWN_unit,
    NOWNERS,
} Owner;

/* One evaluation. Going into an expression sets what stands under "where it is"
 * and coming out puts it back:
 *
 *    export f                   frame.c  f (a call), g called in f, …
 *     └ f(inputs)               scope    what f, g see: an argument of eval
 *        └ [i < n | …]          index    i, within it j of a sum inside, …
 *           └ if c { … }        branch   + 1: need not hold for every i
 *              └ fold(… | …)    place.c  the loop: whose parameters these are
 *
 * A function is evaluated on its own, too, before its first call, for messages
 * in its own names (fn_define, `defining`). Where that needs a
 * result that it cannot have, or a loop is evaluated only for the types of its
 * literals (`open`), the result is made up: new inputs of its type, and what
 * was computed from it is not used for a call (fn_apply). */
struct Check {
    Arena *arena;
    Diags *diags;
    Intern *names;
    Graph *graph;
    DType real;
    const CheckOptions *options;
    const Value *error;

    Unit *main, *prelude;

    /* Where it is. */
    int defining; /* functions being checked on their own */
    int open;     /* evaluations for the types of literals alone, see loop.c */
    Index *index; /* the innermost over which something is evaluated */
    int branch;   /* around what need not be evaluated for every index */

    void *own[NOWNERS]; /* see check_own */
};

/* What a file keeps to itself in an evaluation; zeroed at first. */
void *check_own(Check *c, Owner file, size_t size);

/* report.c */

/* Reports an error, with notes on the calls that led there: the first line of
 * the text; the others are details. They give c->error, false, NULL. */
const Value *check_fail(Check *c, Span at, const char *kind, const char *fmt,
                        ...) __attribute__((format(printf, 4, 5)));
#define check_refuse(...) (check_fail(__VA_ARGS__), false)
#define check_none(...) (check_fail(__VA_ARGS__), NULL)
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
/* v with what is no tuple in it mapped; `with` (or NULL): a value beside it,
 * whose parts go with v's where it has as many; else v stays. */
typedef const Value *ValueMap(Check *c, Span at, const Value *v,
                              const Value *with);
const Value *value_map(Check *c, Span at, const Value *v, const Value *with,
                       ValueMap *map);
bool value_is_error(const Value *v);
bool value_is_literal(const Value *v);
bool value_is_scalar(const Value *v); /* tensor of rank 0 */
bool value_is_tree(const Value *v);   /* struct, tuple or stack */
/* A literal as a real; or v. */
const Value *value_as_real(Check *c, const Value *v);
/* Constant integers and bools. */
bool value_const_int(const Value *v, int64_t *out);
bool value_const_bool(const Value *v, bool *out);

/* types.c */

const StructDef *struct_ready(Check *c, StructDef *d);
const Type *struct_instance(Check *c, const StructDef *d, const TypeArg *arg,
                            Span at);
int struct_field(const StructItem *s, const char *name); /* or -1 */
/* Reports that there is none. */
const Value *struct_no_field(Check *c, const StructItem *s, Span at,
                             const char *name);
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
/* The dimension an int value is; reports where it is none. */
const Dim *dim_of_value(Check *c, const Value *v, Span at);
/* The literal's or tensor's node in dtype t; NULL: it does not adapt. */
Node *value_adapt(Check *c, const Value *v, DType t);
/* v as a value of type t: literals adapt, all else must be equal. NULL: it does
 * not fit, which the caller reports. */
const Value *value_fit(Check *c, const Type *t, const Value *v);

/* sizes.c */

/* Reports that a dimension is too large to be written down. */
const Value *size_too_large(Check *c, Span at);
/* Can there be such a shape; false after reporting. */
bool size_possible(Check *c, Span at, int rank, const Dim *const *dim);
/* The same, and there are such tensors: a call whose sizes are negative is none
 * from now on. */
bool size_sensible(Check *c, Span at, int rank, const Dim *const *dim);
/* Has size_sensible seen it: it could be negative, but is not in any call. */
bool size_is_asked(Check *c, const Dim *d);
/* Those it has seen that are made of these variables alone; *n: how many. */
const NamedSize *size_list(Check *c, int nvar, const Dim *const *var, int *n);
bool size_sensible_type(Check *c, Span at, const Type *t);

/* fn.c */

const Fn *fn_item(Check *c, const FnItem *item, const Scope *s, int limit);
const Fn *fn_derivative(Check *c, DerivKind mode, const Fn *of, int nby,
                        const int *by);
const Fn *fn_remat(Check *c, const Fn *of);
void fn_scan(Check *c, const Fn *f); /* what its signature says */
bool fn_takes(const Fn *f, int n);   /* can it be called with n arguments */
int fn_param_named(const Fn *f, const char *name); /* or -1 */
/* Where there is none: "; did you mean 'x'?" or "". */
const char *fn_param_near(Check *c, const Fn *f, const char *name);
const char *fn_name(Check *c, const Fn *f); /* "loss", "grad(loss, net)" */
Span fn_span(const Fn *f);
Span fn_result_span(const Fn *f); /* where its result is written */
/* Adds to an error where it, or its parameter i, is declared. */
const Value *fn_declared(Check *c, const Fn *f);
const Value *fn_param_declared(Check *c, const Fn *f, int i);
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
/* Has some function for an export a dimension of that name, of --dim? */
bool bind_used_dim(Check *c, const char *name);
/* What stands for int parameters of functions that are checked on their own:
 * how many there are; only the first n of them from now on. */
int bind_ints(Check *c);
void bind_ints_end(Check *c, int n);
/* Is d made of one, so that it may be negative in a call? */
bool bind_is_int(Check *c, const Dim *d);
/* v, which is the dimension d, is used as one: so is the int that it is of. */
void bind_sized(Check *c, const Value *v, const Dim *d);

/* expr.c */

const Value *eval(Check *c, const Scope *s, const Expr *e);
const Value *eval_entry(Check *c, const Entry *e, Span at);
/* Kinds of expressions, each in its file. */
const Value *eval_unary(Check *c, const Scope *s, const Expr *e);
const Value *eval_tensor(Check *c, const Scope *s, const Expr *e);
const Value *eval_call(Check *c, const Scope *s, const Expr *e);
const Value *eval_index(Check *c, const Scope *s, const Expr *e);
const Value *eval_over(Check *c, const Scope *s, const Expr *e); /* indices */
const Value *eval_loop(Check *c, const Scope *s, const Expr *e);

/* budget.c */

/* False, after reporting it once, when too much was evaluated. */
bool check_budget(Check *c, Span at);
int64_t check_most_nodes(const Check *c);
/* The same, and what follows until check_leave is inside of something. */
bool check_enter(Check *c, Span at);
void check_leave(Check *c);
/* Is there room for so many more inside each other? */
bool check_has_room(Check *c, int levels);
/* A budget is used up, as was reported: nothing is evaluated any more. It gives
 * c->error. */
const Value *check_stop(Check *c);
bool check_stopped(Check *c);

/* arith.c */

/* What is called `name` of so many operands; s: for notes. */
typedef struct Operation {
    const Scope *s;
    const char *name;
    Span at;
    int n;
    const Operand *x;
} Operation;
const Value *arith_binary(Check *c, const Scope *s, BinaryOp op, Span at,
                          const Operand *l, const Operand *r);
/* Of ON_…, for messages: "numbers". */
const char *arith_takes(unsigned mask);
/* An elementwise operator, with broadcasting, over leaves. */
const Value *arith_elementwise(Check *c, const Operation *o, OpId op);
/* The operands (tensors) in one dtype, one of those in mask; false after
 * reporting. */
bool arith_unify(Check *c, const Operation *o, unsigned mask, Node **out);
/* The common shape, and the nodes broadcast to it. */
bool arith_broadcast(Check *c, const Operation *o, Node **node);
/* How to mend a value of another element type than wanted, if it is one. */
void type_convert_hint(Check *c, const Type *want, const Value *v);
Node *arith_spread(Check *c, Node *a, int rank, const Dim *const *dim);
const Value *arith_where(Check *c, const Scope *s, Span at, const Operand *x);
const Value *arith_if(Check *c, const Scope *s, Span at, Node *cond,
                      const Operand *a, const Operand *b);

/* literal.c */

/* Values of one type along a new first axis. */
const Value *literal_stack(Check *c, const Scope *s, Span at, int n,
                           const Operand *x);

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

/* f(first, …) with what is written between the parentheses of `call`. */
const Value *call_with(Check *c, const Scope *s, const Fn *f,
                       const Value *first, const Expr *call);
/* Call with values for the parameters; a->value is changed. */
const Value *fn_apply(Check *c, const Fn *f, Arguments *a);
/* The same with all values known. */
const Value *fn_apply_to(Check *c, const Fn *f, const Value *const *value,
                         Span at);
CallArg call_arg(Check *c, const Scope *s, const Arg *a);
/* Argument k of a call of f to its parameter; false after reporting. */
bool args_place(Check *c, const Fn *f, const CallArg *a, int k, Arguments *to);
Arguments args_new(Check *c, int n, Span at, const Scope *s);
Arguments args_copy(Check *c, const Arguments *a, int n); /* the first n */
/* Where a node comes from that is made at `at` of s: what the library makes,
 * from the user's call of it. */
Span call_user_span(Check *c, const Scope *s, Span at);
/* The function checked on its own has no result, but its calls will. */
void call_opaque(Check *c);
/* A result is made up where only its type is asked for. */
void call_made_up(Check *c);
/* Check a function on its own, once. */
void fn_define(Check *c, const Fn *f);
/* Arguments for all parameters on new inputs; NULL after an error. */
const Value **fn_fresh(Check *c, const Fn *f);

/* frame.c */

/* What follows, until frame_leave, is the definition of something (a function
 * or, where info is NULL, a const) at `at`; a call, which may be the user's of
 * the library, or for a derivative of its own; what the language itself writes
 * for what the user has at `at`. */
void frame_define(Check *c, const FnInfo *info, Span at);
void frame_call(Check *c, const FnInfo *info, const Arguments *a, bool library,
                bool custom);
void frame_library(Check *c, Span at);
void frame_leave(Check *c);
int frame_depth(Check *c);
/* The user's call of the library that is under way, or else `at`. */
Span frame_user_span(Check *c, Span at);
/* Calls of f that are under way, with the same functions as these arguments:
 * with others it is no recursion, newton of a function that calls newton, say.
 */
typedef struct Under {
    int calls;
    bool custom; /* one is for its own derivative, evaluated inside of it */
    int last;    /* how many frames are around the last of them; -1: none is */
} Under;
Under frame_under_way(Check *c, const FnInfo *f, const Value *const *arg);
/* Adds to an error which calls led there. */
void frame_notes(Check *c);

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

/* builtin.c */

/* The function of the language of that name, or NULL. */
const Builtin *builtin_find(Check *c, const char *name);
int builtin_names(Check *c, const char **to, int max);
const Value *builtin_call(Check *c, const Builtin *b, const Arguments *a);
const Value *builtin_constant(Check *c, const char *name);
/* fold and scan, which are no functions. */
bool builtin_is_loop(const char *name);
const Value *builtin_needs_binders(Check *c, Span at, const char *name);

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
/* The type of parameter i of those that a derivative has beyond its function's,
 * where that is called with what a begins with; NULL after an error. */
const Type *deriv_extra_type(Check *c, const Fn *f, const Arguments *a, int i);
/* That parameter's name. */
const char *deriv_param_name(Check *c, const Fn *f, int i);
/* Is every leaf real? */
bool type_all_real(Check *c, const Type *t);
/* Reports the first that is not. */
bool value_all_real(Check *c, const Value *v, Span at, const char *what);

/* custom.c */

const Value *eval_remat(Check *c, const Scope *s, const Expr *call);
const Value *fn_apply_remat(Check *c, const Fn *f, Arguments *a);
/* A call of a function with a `derivative` item; the arguments are bound. */
const Value *fn_apply_custom(Check *c, const Fn *f, const Arguments *a);
/* Let the item be the derivative of the function of u that it names. */
void unit_attach_derivative(Check *c, Unit *u, const Item *item);

#endif
