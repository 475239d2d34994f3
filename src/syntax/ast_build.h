/* ast_build.h: what the grammar's actions call. Only grammar/ and this room
 * include it.
 *
 * Constructors never fail: after an error they have recorded it and give an
 * EX_error or what could be kept. Lists live in the parser's arena. */
#ifndef NNCC_AST_BUILD_H
#define NNCC_AST_BUILD_H

#include "syntax/ast.h"

/* Deepest nesting of brackets, and of expressions and types. */
enum { MAX_DEPTH = 256 };

/* One token as it was read; kind is the parser's number for it, or
 * TOKEN_comment. */
enum { TOKEN_comment = -1 };
typedef struct Token {
    int kind;
    Span span;
} Token;
typedef LIST(Token) TokenList;

/* The parser's state; nothing of it outlives the parse. */
struct parse {
    Arena *arena;
    Intern *names;
    Diags *diags;
    const Source *source;
    uint32_t at;      /* the scanner's position */
    Span prior, last; /* the token before, and the one in hand */
    uint32_t bad;     /* end of what was last refused outside the grammar */
    int start;        /* token to give first: which grammar is read */
    bool stop;        /* nothing more is to be read or reported */
    int nopen;
    Span open[MAX_DEPTH]; /* brackets not yet closed */
    char bracket[MAX_DEPTH];
    TokenList *tokens; /* where they are kept, comments too; or NULL */
    Ast *ast;
    Expr *expression;
};

typedef LIST(Arg) ArgList;
typedef LIST(Sub) SubList;
typedef LIST(Expr *) ExprList;
typedef LIST(TypeEx *) TypeList;
typedef LIST(Pattern) PatternList;
typedef LIST(Stmt) StmtList;
typedef LIST(ParamEx) ParamList;
typedef LIST(FieldEx) FieldList;
typedef LIST(Setting) SettingList;

typedef struct Name {
    const char *name;
    Span span;
} Name;
typedef LIST(Name) NameList;
typedef LIST(TypeParam) TypeParamList;

/* Behind what is trained: `; frozen = a, b`; part: NULL without. */
typedef struct Held {
    Name name;
    const ExprList *part;
} Held;

typedef struct TrainHead {
    Name loss, by;
    Held held;
    Name as;
} TrainHead;

/* nn.l */

bool parse_run(struct parse *p, bool expression);

/* parse.c: for the scanner, and what the parser reports */

/* The tokens and comments of a text that is a program; false after messages.
 */
bool parse_tokens(Arena *a, Intern *names, Diags *d, const Source *source,
                  TokenList *to);

/* A token or comment was read. */
void parse_keep(struct parse *p, int kind, Span at);
const char *parse_name(struct parse *p, const char *s, int n);
int64_t parse_int(struct parse *p, Span at, const char *s, int n);
double parse_real(struct parse *p, Span at, const char *s, int n);
void parse_bad_number(struct parse *p, Span at, const char *s);
void parse_bad_character(struct parse *p, Span at, const char *s, int n);
/* What other languages have. */
void parse_refuse(struct parse *p, Span at, const char *why);
/* False where the limit of nesting is passed. */
bool parse_open(struct parse *p, Span at, char c);
void parse_close(struct parse *p);
void parse_too_deep(struct parse *p, Span at);
/* `unexpected …, expected …`; expected: human names, n of them (0: unknown). */
void parse_unexpected(struct parse *p, Span at, bool eof,
                      const char *const *expected, int n);
/* `expression ;` in a block, which is no statement. */
void parse_no_value(struct parse *p, Span expression, Span semicolon);

/* ast.c: expressions */

Expr *ex_error(struct parse *p, Span s);
Expr *ex_int(struct parse *p, Span s, int64_t v);
Expr *ex_real(struct parse *p, Span s, double v);
Expr *ex_bool(struct parse *p, Span s, bool v);
Expr *ex_name(struct parse *p, Span s, const char *name);
Expr *ex_text(struct parse *p, Span s, const char *text);
Expr *ex_paren(struct parse *p, Span s, Expr *e);
Expr *ex_field(struct parse *p, Span s, Expr *of, Name name);
Expr *ex_part(struct parse *p, Span s, Expr *of, int64_t part, Span at);
Expr *ex_call(struct parse *p, Span s, Expr *fn, const ArgList *args);
Expr *ex_pipe(struct parse *p, Span s, Expr *x, Expr *to);
Expr *ex_index(struct parse *p, Span s, Expr *of, const SubList *subs);
Expr *ex_unary(struct parse *p, Span s, UnaryOp op, Expr *of);
Expr *ex_binary(struct parse *p, Span s, BinaryOp op, Span at, Expr *l,
                Expr *r);
Expr *ex_tensor(struct parse *p, Span s, const ArgList *args);
Expr *ex_no_parts(struct parse *p, Span s); /* () */
/* (first, rest…) */
Expr *ex_tuple(struct parse *p, Span s, Expr *first, const ExprList *rest);
Expr *ex_if(struct parse *p, Span s, Expr *cond, Expr *then, Expr *other);
Expr *ex_block(struct parse *p, Span s, const StmtList *stmts, Expr *value);
Expr *ex_fn(struct parse *p, Span s, FnItem *fn);
/* [binders | body], and fn(binders | body) for reductions and loops. */
Expr *ex_comp(struct parse *p, Span s, const ArgList *binders, Expr *body);
Expr *ex_over(struct parse *p, Span s, Expr *fn, const ArgList *binders,
              Expr *body);

/* types */

TypeEx *te_name(struct parse *p, Span s, const char *module, Name name);
/* The brackets of a name; args may be NULL. */
TypeEx *te_args(struct parse *p, Span s, TypeEx *t, bool leading,
                const ExprList *args);
TypeEx *te_tuple(struct parse *p, Span s, const TypeList *parts);
TypeEx *te_stack(struct parse *p, Span s, TypeEx *of, Expr *count);
TypeEx *te_fn(struct parse *p, Span s, const TypeList *params, TypeEx *result);

/* functions, statements, items */

/* NAME: BOUND, which is 'real' or a mistake that is told. */
TypeParam type_param(struct parse *p, Name name, Name bound);
/* type_params may be NULL. */
FnItem *fn_head(struct parse *p, Name name, const TypeParamList *type_params,
                const ParamList *params, TypeEx *result);
FnItem *fn_body(struct parse *p, Span s, FnItem *fn, Expr *body);
/* (p, q, …); (p) is p. */
Pattern pattern_tuple(Span s, const PatternList *parts);
Stmt stmt_let(Span s, Pattern pattern, TypeEx *type, Expr *value);
Stmt stmt_fn(struct parse *p, Span s, FnItem *fn);

void item_use(struct parse *p, Span s, Name name, const char *as);
void item_const(struct parse *p, Span s, Name name, TypeEx *type, Expr *value);
void item_struct(struct parse *p, Span s, Name name, const NameList *params,
                 const FieldList *fields);
void item_fn(struct parse *p, Span s, FnItem *fn);
void item_derivative(struct parse *p, Span s, FnItem *fn,
                     const ParamList *given);
void item_export(struct parse *p, Span s, Expr *value, Name as);
void item_train(struct parse *p, Span s, TrainHead head,
                const SettingList *settings);

#endif
