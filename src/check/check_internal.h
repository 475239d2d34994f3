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
#include "graph/op.h"

enum {
    MAX_CALLS = 200,     /* calls inside calls */
    MAX_NESTING = 3000,  /* evaluations inside evaluations */
    MAX_WORK = 6000000,  /* expressions evaluated, calls expanded */
    MAX_NODES = 6000000, /* nodes in the graph */
    MAX_LEAVES = 100000, /* tensors in one value */
    MAX_PARAMS = 1000,   /* parameters, fields, free variables of one item */
};

typedef struct Check Check;
typedef struct Ty Ty;
typedef struct Value Value;
typedef struct Fn Fn;
typedef struct FnInfo FnInfo;
typedef struct Scope Scope;
typedef struct Unit Unit;
typedef struct Entry Entry;
typedef struct StructDef StructDef;
typedef struct Builtin Builtin;

/* types */

typedef struct TyArg {
    const Dim *dim; /* or */
    const Ty *ty;
} TyArg;

/* The type of a value that has leaves. Compare with ty_equal. */
struct Ty {
    TypeKind kind;
    DType dtype;           /* TY_tensor */
    int rank;              /* TY_tensor */
    const Dim *const *dim; /* TY_tensor */
    const StructDef *def;  /* TY_struct, its arguments def->item->nparam */
    const TyArg *arg;
    const Ty *const *part; /* fields, parts; a stack's element */
    int npart;
    const Dim *count; /* TY_stack */
    int nleaf;        /* at most MAX_LEAVES + 1 */
};

struct StructDef {
    const StructItem *item;
    Unit *unit;
    bool *is_type;    /* which parameters stand for types */
    bool ready, busy; /* is_type is known; instantiation is under way */
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
    Node *node;   /* V_tensor; of a LIT_int in DT_i64 */
    Node *real;   /* literals: the same in DT_f64, computed in reals throughout,
                     so   1/2 is 0 as an int and 0.5 as a real */
    const Ty *ty; /* V_struct, V_stack */
    const Value *const *part; /* fields, parts; the elements of a tensor literal
                                 (or NULL) */
    int npart;
    Node *const *leaf; /* V_stack: with the leading dimension */
    const Fn *fn;      /* V_fn */
    int nleaf;
    uint64_t hash;
};

typedef enum FnKind { FK_item, FK_builtin, FK_derivative } FnKind;

typedef enum DerivOp { D_grad, D_value_and_grad, D_jvp, D_vjp } DerivOp;

struct Fn {
    FnKind kind;
    FnInfo *info; /* FK_item, with what it sees */
    const Scope *scope;
    int limit;
    const Builtin *builtin;
    DerivOp op; /* FK_derivative of `of` by parameters by[…] */
    const Fn *of;
    const int *by;
    int nby;
};

typedef enum FnState { FN_unchecked, FN_checking, FN_good, FN_bad } FnState;

/* What is known of a function's text. */
struct FnInfo {
    const FnItem *item;
    const char *name; /* "f"; of an anonymous one "fn" */
    FnState state;
    int active;       /* calls being expanded */
    bool scanned;     /* the fields below are set */
    bool generic;     /* type parameters, functions or untyped parameters */
    bool leading;     /* `..` somewhere among the parameters */
    const char **var; /* dimension variables, in order of appearance */
    Span *var_span;
    const Dim **unknown; /* stands for a variable not yet solved for */
    int nvar;
    /* An evaluation on parameters of the declared types, NULL before. */
    const Value **fresh;
    const Value *result;
};

/* scope.c */

typedef struct Binding {
    const char *name;
    Span span;
    const Value *value; /* or a type parameter's: */
    const Ty *ty;
    const Entry *entry; /* in a unit's scope */
    int next;           /* older binding in the same bucket, or -1 */
} Binding;

struct Scope {
    const Scope *up; /* NULL: the unit is next */
    int up_limit;    /* bindings of `up` that are seen */
    Unit *unit;
    LIST(Binding) binding;
    int *bucket, nbucket;
    /* `..` of the function that this is the outermost scope of. */
    bool has_leading;
    int nleading;
    const Dim *const *leading;
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

/* One call being expanded. */
typedef struct Frame {
    const FnInfo *info;
    Span span;
    bool define; /* not a call: the function is checked on its own */
} Frame;

struct Check {
    Arena *arena;
    Diags *diags;
    Intern *names;
    Graph *graph;
    DType real;
    const CheckOptions *options;
    const char *path;
    Unit *main, *prelude;
    LIST(Unit *) unit;
    LIST(Frame) frame;
    LIST(const char *) dim_used; /* --dim names that occurred */
    bool overflow_told;          /* that a dimension is too large */
    const Value *error;
    struct Memo *memo;
    struct Infos *infos;
    int nesting;
    int opaque;   /* results made up so far, see call.c */
    int defining; /* functions being checked on their own */
    int64_t work;
    bool unread; /* some file could not be read or parsed */
    bool over;   /* a budget is used up, and that was reported */
};

struct Program {
    Check check;
    CheckOptions options;
    Module *module;
    const Item *train; /* the one that was met, or NULL */
};

Scope *scope_new(Check *c, const Scope *up, int up_limit, Unit *unit);
Binding *scope_bind(Check *c, Scope *s, const char *name, Span span,
                    const Value *v);
/* The newest binding of name among the first `limit`, or NULL. */
const Binding *scope_find(const Scope *s, int limit, const char *name);
Found lookup(Check *c, const Scope *s, const char *name, Span at);
/* unknown_in_unit: behind `n.` of `use … as n;`. */
void unknown_in_unit(Check *c, const Unit *u, const char *name, Span at);
void unknown_name(Check *c, const Scope *s, const char *name, Span at);
/* The scope whose `..` is meant here, or NULL. */
const Scope *scope_leading(const Scope *s);
const char *suggestion(Check *c, const char *name, const char *const *among,
                       int n); /* "; did you mean 'x'?" or "" */

/* unit.c */

Unit *unit_load(Check *c, const char *path, const char *text, size_t len);
const Entry *unit_find(Check *c, Unit *u, const char *name, Span at,
                       bool *clash);
bool check_consts_and_structs(Check *c);

/* report.c */

/* Report an error, with notes on the calls that led there; returns c->error. */
const Value *fail(Check *c, Span at, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
const Value *fail_later(Check *c, Span at, const char *what);
void detail(Check *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void note(Check *c, Span at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The type of v under e, and a note on where what e names was declared. */
void label_operand(Check *c, const Scope *s, const Expr *e, const Value *v);
void note_declared(Check *c, const Scope *s, const Expr *e);

/* value.c */

const Ty *ty_tensor(Check *c, DType t, int rank, const Dim *const *dim);
const Ty *ty_scalar(Check *c, DType t);
const Ty *ty_struct(Check *c, const StructDef *d, const TyArg *arg,
                    const Ty *const *part);
const Ty *ty_tuple(Check *c, int n, const Ty *const *part);
const Ty *ty_stack(Check *c, const Ty *of, const Dim *count);
bool ty_equal(const Ty *a, const Ty *b);
void ty_print(Check *c, const Ty *t, Str *to);
const char *ty_text(Check *c, const Ty *t);
/* Tensor types of the leaves, in order of declaration. */
const Ty **ty_leaves(Check *c, const Ty *t);
/* "hidden.W" for each leaf; "" for a bare tensor. */
const char **ty_paths(Check *c, const Ty *t);
const Type *ty_export(Check *c, const Ty *t);
const char *shape_text(Check *c, int rank, const Dim *const *dim);
const char *dtype_text(const Check *c, DType t);

const Value *value_tensor(Check *c, Node *n);
const Value *value_int(Check *c, int64_t v); /* literals */
const Value *value_real(Check *c, double v);
const Value *value_literal(Check *c, Literal l, Node *n, Node *real);
const Value *value_elements(Check *c, const Value *v, const Value *const *part,
                            int n);
const Value *value_tuple(Check *c, Span at, int n, const Value *const *part);
const Value *value_struct(Check *c, const Ty *t, const Value *const *field);
const Value *value_fn(Check *c, const Fn *f);
const Value *value_dim(Check *c, const Dim *d); /* as an int */
bool value_equal(const Value *a, const Value *b);
bool fn_equal(const Fn *a, const Fn *b);
/* NULL for functions (and what holds them) and errors. A literal's is int or
 * real. */
const Ty *value_ty(Check *c, const Value *v);
const char *value_text(Check *c, const Value *v); /* its type, for messages */
/* Its v->nleaf tensors; literals are settled. */
Node **value_leaves(Check *c, const Value *v);
const Value *value_of_leaves(Check *c, const Ty *t, Node *const *leaf);
/* New inputs for all leaves. */
const Value *value_fresh(Check *c, const Ty *t, const char *name);
/* A literal without a context: int or real. */
const Value *settle(Check *c, Span at, const Value *v);
bool is_error(const Value *v);
bool is_scalar(const Value *v); /* tensor of rank 0 */
/* Constant integers and bools. */
bool value_const_int(const Value *v, int64_t *out);
bool value_const_bool(const Value *v, bool *out);

/* types.c */

const StructDef *struct_ready(Check *c, StructDef *d);
const Ty *struct_instance(Check *c, const StructDef *d, const TyArg *arg,
                          Span at);
/* The scope in which an instance's fields are written. */
Scope *struct_scope(Check *c, const StructDef *d, const TyArg *arg);
const Ty *type_eval(Check *c, const Scope *s, const TypeEx *t);
bool dtype_of_name(const Check *c, const char *name, DType *t);
/* An expression in a type argument's place, as a type. */
const TypeEx *type_of_expr(Check *c, const Expr *e);
/* The struct that an expression names, its bracketed arguments if any. */
StructDef *struct_named(Check *c, const Scope *s, const Expr *e,
                        const Expr **index);
StructDef *struct_of_type(Check *c, const Scope *s, const TypeEx *t);
const Dim *dim_eval_expr(Check *c, const Scope *s, const Expr *e);
/* The dimension an int value is; reports where it is none. */
const Dim *dim_of_value(Check *c, const Value *v, Span at);
bool dim_sensible(Check *c, Span at, int rank, const Dim *const *dim);
/* The literal's or tensor's node in dtype t; NULL: it does not adapt. */
Node *adapt(Check *c, const Value *v, DType t);
/* v as a value of type t: literals adapt, all else must be equal. NULL: it does
 * not fit, which the caller reports. */
const Value *fit(Check *c, const Ty *t, const Value *v);
/* The least value of d where every variable is at least 0 (or -INFINITY). */
double dim_least(Check *c, const Dim *d);

/* bind.c */

FnInfo *fn_info(Check *c, const FnItem *f);
void fn_scan(Check *c, const Fn *f);
typedef struct Arguments {
    const Value **value; /* one a parameter; NULL: its default */
    Span *span;
    const Expr **expr; /* or NULL */
    int n;
    Span at;            /* the call */
    const Scope *scope; /* the caller's, for notes; or NULL */
} Arguments;
/* Bind parameters, dimension variables and type parameters in s; args->value
 * becomes what the parameters hold. */
bool bind_arguments(Check *c, const Fn *f, Scope *s, Arguments *args);
/* Parameters of the declared types, on new inputs. For an export, --dim
 * applies; otherwise a plain int stands for any dimension, so that it may be
 * used as one. */
bool bind_fresh(Check *c, const Fn *f, Scope *s, bool export,
                const Value **value);
bool is_plain_int(const TypeEx *t);

/* expr.c */

const Value *eval(Check *c, const Scope *s, const Expr *e);
const Value *eval_block(Check *c, const Scope *s, const Block *b);
const Value *entry_value(Check *c, const Entry *e, Span at);
bool within_budget(Check *c, Span at);

/* arith.c */

typedef struct Operand {
    const Value *value;
    Span span;
    const Expr *expr; /* or NULL */
} Operand;

const Value *eval_unary(Check *c, const Scope *s, const Expr *e);
const Value *binary(Check *c, const Scope *s, BinaryOp op, Span at,
                    const Operand *l, const Operand *r);
/* An elementwise operator on n operands, with broadcasting, over leaves. */
const Value *elementwise(Check *c, const Scope *s, OpId op, const char *name,
                         Span at, int n, const Operand *x);
/* The operands (tensors) in one dtype, one of those in mask; false after
 * reporting. */
bool unify(Check *c, const Scope *s, const char *name, Span at, int n,
           const Operand *x, unsigned mask, Node **out);
/* The common shape, and the nodes broadcast to it. */
bool broadcast_all(Check *c, const Scope *s, const char *name, Span at, int n,
                   const Operand *x, Node **node);
/* How to mend a value of another element type than wanted, if it is one. */
void convert_hint(Check *c, const Ty *want, const Value *v);
Node *spread(Check *c, Node *a, int rank, const Dim *const *dim);
const Value *where_values(Check *c, const Scope *s, Span at, const Operand *x);
const Value *if_values(Check *c, const Scope *s, Span at, Node *cond,
                       const Operand *a, const Operand *b);

/* literal.c */

const Value *eval_tensor(Check *c, const Scope *s, const Expr *e);
/* Values of one type along a new first axis. */
const Value *stack_values(Check *c, const Scope *s, Span at, int n,
                          const Operand *x);

/* index.c */

const Value *eval_index(Check *c, const Scope *s, const Expr *e);

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
/* Call with values for the parameters; a->value is changed. */
const Value *apply(Check *c, const Fn *f, Arguments *a);
Arguments arguments_new(Check *c, int n, Span at, const Scope *s);
int fn_nparam(const Fn *f);
const char *fn_param_name(Check *c, const Fn *f, int i);
Span fn_param_span(const Fn *f, int i);
bool fn_param_optional(const Fn *f, int i);
const char *fn_name(Check *c, const Fn *f); /* "loss", "grad(loss, net)" */
Span fn_span(const Fn *f);
/* Check a function on its own, once. */
void define(Check *c, const Fn *f);
/* Arguments for all parameters on new inputs; NULL after an error. */
const Value **fresh_arguments(Check *c, const Fn *f);

/* construct.c */

const Value *construct(Check *c, const Scope *s, StructDef *d,
                       const Expr *index, const Expr *call);
/* v in every leaf of type t: of its shape, or broadcast to it; NULL after
 * reporting. */
const Value *fill(Check *c, const Ty *t, const Value *v, Span at);
/* A value of the type by its fields' initialisers; random leaves take keys
 * split off `key`, numbered on from *number. Without a key random ones are an
 * error. */
const Value *initial_value(Check *c, const Ty *t, Node *key, int64_t *number,
                           Span at);

/* builtin.c, tensor.c */

enum { MAX_SLOTS = 4 };

struct Builtin {
    const char *name;
    /* Parameter names separated by blanks; "x?" may be left out, "x*" is any
     * number of positional arguments. */
    const char *params;
    /* slot[i] is the argument for parameter i, or NULL. */
    const Value *(*run)(Check *c, const Builtin *b, const Call *call,
                        const CallArg *const *slot);
    OpId op;
};

const Builtin *builtin_find(Check *c, const char *name);
int builtin_names(const char **to, int max);
int builtin_nparam(const Builtin *b);
const char *builtin_param(Check *c, const Builtin *b, int i, char *suffix);
const Value *builtin_call(Check *c, const Builtin *b, const Call *call);
/* A derivative operator's name, or a construct that is still to come. */
bool deriv_named(const char *name, DerivOp *op);
const char *deriv_name(DerivOp op);
bool later_named(const char *name);
const Value *constant_named(Check *c, const char *name);

typedef const Value *BuiltinRun(Check *c, const Builtin *b, const Call *call,
                                const CallArg *const *slot);
BuiltinRun run_reshape, run_transpose, run_broadcast, run_concat, run_stack,
    run_pad, run_flip, run_full, run_iota, run_onehot, run_expand, run_dot,
    run_stop;
/* A tensor argument, settled; NULL after reporting. */
Node *tensor_arg(Check *c, const Builtin *b, const CallArg *a);
bool const_arg(Check *c, const Builtin *b, const CallArg *a, const char *what,
               int64_t *out);
bool axis_arg(Check *c, const Builtin *b, const CallArg *a, int rank,
              int *axis);

/* derive.c */

const Value *eval_derivative(Check *c, const Scope *s, DerivOp op,
                             const Expr *call);
const Value *apply_derivative(Check *c, const Fn *f, Arguments *a);
/* Is every leaf real? Reports the first that is not. */
bool all_real(Check *c, const Value *v, Span at, const char *what);

/* export.c, train.c */

/* f on inputs of its own as a function of the module; result: what its result
 * is called. NULL after an error. */
Function *build_function(Check *c, const Fn *f, const char *name,
                         const char *result, Span at);
Function *function_new(Check *c, FunctionKind kind, const char *name, Span at);
void add_param(Check *c, Function *f, const char *name, const Value *v,
               Span span);
/* A result; the parts of a tuple are results of their own. */
void add_result(Check *c, Function *f, const char *name, const Value *v,
                Span span);
/* Free variables, names that C can tell apart; false after reporting. */
bool finish_function(Check *c, Function *f);
void add_export(Program *p, Function *f, Span at);
void export_all(Program *p);
void export_train(Program *p, const Item *item);

#endif
