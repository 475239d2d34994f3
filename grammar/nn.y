/* nn.y: tokens to AST; each action is one call to a constructor in ast.c. */
%code requires {
#include "syntax/ast_build.h"
}

%code provides {
int yylex(YYSTYPE *value, YYLTYPE *at, void *scanner);
}

%code {
static void yyerror(const YYLTYPE *at, void *scanner, struct parse *p,
                    const char *message);

#define YYMAXDEPTH 10000
#define YYLLOC_DEFAULT(Cur, Rhs, N)                                            \
    ((Cur).beg = (N) ? YYRHSLOC(Rhs, 1).beg : YYRHSLOC(Rhs, 0).end,            \
     (Cur).end = YYRHSLOC(Rhs, N).end)
#define NEW_LIST(T) NEW(p->arena, T)
#define ADD(list, ...) list_push(p->arena, (list), (__VA_ARGS__))
#define NO_NAME ((Name){NULL, {0, 0}})
}

%define api.pure full
%define api.location.type {Span}
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%param {void *scanner}
%parse-param {struct parse *p}
%initial-action {
    (void)yynerrs; /* counted by bison, read by nobody */
}

%union {
    const char *name;
    int64_t integer;
    double real;
    Expr *expr;
    TypeEx *type;
    FnItem *fn;
    Name ident;
    Arg arg;
    Sub sub;
    Pattern pattern;
    Stmt stmt;
    ParamEx param;
    FieldEx field;
    Setting setting;
    Held held;
    ArgList *args;
    SubList *subs;
    ExprList *exprs;
    TypeList *types;
    PatternList *patterns;
    StmtList *stmts;
    ParamList *params;
    FieldList *fields;
    SettingList *settings;
    NameList *names;
    TypeParamList *type_params;
    TypeParam type_param;
}

%token YYEOF 0 "end of file"
%token START_PROGRAM START_EXPRESSION
%token USE "'use'" AS "'as'" CONST "'const'" STRUCT "'struct'" FN "'fn'"
%token EXPORT "'export'" LET "'let'" IF "'if'" ELSE "'else'"
%token TRUE "'true'" FALSE "'false'"
%token <name> NAME "a name" TRAIN "'train'" DERIVATIVE "'derivative'"
%token <name> TEXT "a text"
%token <integer> INT "an integer"
%token <real> REAL "a number"
%token ARROW "'->'" DOTS "'..'" PIPE "'|>'" OR "'||'" AND "'&&'"
%token LE "'<='" GE "'>='" EQ "'=='" NE "'!='"

%precedence OPEN /* fn(x) = e reaches as far as it can */
%left PIPE
%left OR
%left AND
%left '<' '>' LE GE EQ NE
%left '+' '-'
%left '*' '/' '%' '@'
%precedence PREFIX
%right '^'

%type <ident> name as
%type <expr> expr postfix primary block if init body value
%type <type> type type_opt result type_brackets
%type <fn> anonymous named function
%type <arg> arg
%type <args> args arg_list
%type <sub> sub
%type <subs> subs sub_list
%type <expr> end
%type <exprs> exprs expr_list
%type <types> types type_list
%type <pattern> pattern
%type <patterns> patterns
%type <stmt> stmt
%type <stmts> stmts
%type <param> param
%type <params> params param_list
%type <field> field
%type <fields> fields field_list
%type <setting> setting
%type <settings> settings
%type <held> held
%type <names> names brackets
%type <type_params> type_params generic
%type <type_param> type_param

%%

input: START_PROGRAM items
     | START_EXPRESSION expr    { p->expression = $2; }
     ;

/* Items. */

items: %empty
     | items item
     ;

item: USE name as ';'           { item_use(p, @$, $2, $3.name); }
    | CONST name type_opt '=' expr ';'  { item_const(p, @$, $2, $3, $5); }
    | STRUCT name brackets '{' fields '}'
                                { item_struct(p, @$, $2, $3, $5); }
    | STRUCT name brackets '{' error '}'
    | function                  { item_fn(p, @$, $1); }
    | DERIVATIVE name '(' params ';' params ')' result body
                                { FnItem *f = fn_head(p, $2, NULL, $4, $8);
                                  item_derivative(p, @$, fn_body(p, @$, f, $9),
                                                  $6); }
    | EXPORT exports ';'
    | TRAIN name '(' name held ')' as '{' settings '}'
                                { item_train(p, @$, (TrainHead){$2, $4, $5, $7},
                                             $9); }
    | error ';'
    | error '}'
    ;

exports: export
       | exports ',' export
       ;
export: expr as                 { item_export(p, @$, $1, $2); }
      ;
held: %empty                    { $$ = (Held){NO_NAME, NULL}; }
    | ';' name '=' expr_list comma { $$ = (Held){$2, $4}; }
    ;
as: %empty                      { $$ = NO_NAME; }
  | AS name                     { $$ = $2; }
  ;

name: NAME                      { $$ = (Name){$1, @1}; }
    | TRAIN                     { $$ = (Name){$1, @1}; }
    | DERIVATIVE                { $$ = (Name){$1, @1}; }
    ;
names: name                     { $$ = NEW_LIST(NameList); ADD($$, $1); }
     | names ',' name           { ADD($1, $3); $$ = $1; }
     ;
brackets: %empty                { $$ = NULL; }
        | '[' names comma ']'   { $$ = $2; }
        ;
generic: %empty                 { $$ = NULL; }
       | '[' type_params comma ']' { $$ = $2; }
       ;
type_params: type_param         { $$ = NEW_LIST(TypeParamList); ADD($$, $1); }
           | type_params ',' type_param { ADD($1, $3); $$ = $1; }
           ;
type_param: name                { $$ = (TypeParam){$1.name, false}; }
          | name ':' name       { $$ = type_param(p, $1, $3); }
          ;
comma: %empty
     | ','
     ;

fields: %empty                  { $$ = NEW_LIST(FieldList); }
      | field_list comma        { $$ = $1; }
      ;
field_list: field               { $$ = NEW_LIST(FieldList); ADD($$, $1); }
          | field_list ',' field { ADD($1, $3); $$ = $1; }
          ;
field: name ':' type init       { $$ = (FieldEx){$1.name, $1.span, $3, $4,
                                                 false}; }
     | name ':' type '~' expr   { $$ = (FieldEx){$1.name, $1.span, $3, $5,
                                                 true}; }
     ;
init: %empty                    { $$ = NULL; }
    | '=' expr                  { $$ = $2; }
    ;

settings: %empty                { $$ = NEW_LIST(SettingList); }
        | settings setting      { ADD($1, $2); $$ = $1; }
        | settings error ';'    { yyerrok; $$ = $1; }
        ;
setting: name '=' expr ';'      { $$ = (Setting){$1.name, $1.span, $3}; }
       ;

/* Functions. */

function: named body            { $$ = fn_body(p, @$, $1, $2); }
        ;
named: FN name generic '(' params ')' result
                                { $$ = fn_head(p, $2, $3, $5, $7); }
     ;
anonymous: FN '(' params ')' result
                                { $$ = fn_head(p, NO_NAME, NULL, $3, $5); }
         ;
body: block
    | '=' expr ';'              { $$ = $2; }
    ;
result: %empty                  { $$ = NULL; }
      | ARROW type              { $$ = $2; }
      ;
params: %empty                  { $$ = NEW_LIST(ParamList); }
      | param_list comma        { $$ = $1; }
      ;
param_list: param               { $$ = NEW_LIST(ParamList); ADD($$, $1); }
          | param_list ',' param { ADD($1, $3); $$ = $1; }
          ;
param: name type_opt init       { $$ = (ParamEx){$1.name, $1.span, $2, $3}; }
     ;

/* Blocks. */

block: '{' stmts value '}'      { $$ = ex_block(p, @$, $2, $3); }
     ;
value: expr
     | error                    { $$ = ex_error(p, @$); }
     ;
stmts: %empty                   { $$ = NEW_LIST(StmtList); }
     | stmts stmt               { ADD($1, $2); $$ = $1; }
     | stmts error ';'          { yyerrok; $$ = $1; }
     | stmts expr ';'           { parse_no_value(p, @2, @3); $$ = $1; }
     ;
stmt: LET pattern type_opt '=' expr ';' { $$ = stmt_let(@$, $2, $3, $5); }
    | function                  { $$ = stmt_fn(p, @$, $1); }
    ;
pattern: name                   { $$ = (Pattern){.name = $1.name,
                                                 .span = $1.span}; }
       | '(' patterns comma ')' { $$ = pattern_tuple(@$, $2); }
       ;
patterns: pattern               { $$ = NEW_LIST(PatternList); ADD($$, $1); }
        | patterns ',' pattern  { ADD($1, $3); $$ = $1; }
        ;

/* Expressions. */

expr: postfix
    | anonymous '=' expr %prec OPEN { $$ = ex_fn(p, @$, fn_body(p, @$, $1,
                                                                $3)); }
    | expr PIPE expr            { $$ = ex_pipe(p, @$, $1, $3); }
    | expr OR expr              { $$ = ex_binary(p, @$, BI_or, @2, $1, $3); }
    | expr AND expr             { $$ = ex_binary(p, @$, BI_and, @2, $1, $3); }
    | expr '<' expr             { $$ = ex_binary(p, @$, BI_lt, @2, $1, $3); }
    | expr '>' expr             { $$ = ex_binary(p, @$, BI_gt, @2, $1, $3); }
    | expr LE expr              { $$ = ex_binary(p, @$, BI_le, @2, $1, $3); }
    | expr GE expr              { $$ = ex_binary(p, @$, BI_ge, @2, $1, $3); }
    | expr EQ expr              { $$ = ex_binary(p, @$, BI_eq, @2, $1, $3); }
    | expr NE expr              { $$ = ex_binary(p, @$, BI_ne, @2, $1, $3); }
    | expr '+' expr             { $$ = ex_binary(p, @$, BI_add, @2, $1, $3); }
    | expr '-' expr             { $$ = ex_binary(p, @$, BI_sub, @2, $1, $3); }
    | expr '*' expr             { $$ = ex_binary(p, @$, BI_mul, @2, $1, $3); }
    | expr '/' expr             { $$ = ex_binary(p, @$, BI_div, @2, $1, $3); }
    | expr '%' expr             { $$ = ex_binary(p, @$, BI_mod, @2, $1, $3); }
    | expr '@' expr             { $$ = ex_binary(p, @$, BI_matmul, @2, $1,
                                                 $3); }
    | expr '^' expr             { $$ = ex_binary(p, @$, BI_pow, @2, $1, $3); }
    | '-' expr %prec PREFIX     { $$ = ex_unary(p, @$, UN_neg, $2); }
    | '!' expr %prec PREFIX     { $$ = ex_unary(p, @$, UN_not, $2); }
    ;

postfix: primary
       | postfix '.' name       { $$ = ex_field(p, @$, $1, $3); }
       | postfix '.' INT        { $$ = ex_part(p, @$, $1, $3, @3); }
       | postfix '(' args ')'   { $$ = ex_call(p, @$, $1, $3); }
       | postfix '(' arg_list '|' expr ')'
                                { $$ = ex_over(p, @$, $1, $3, $5); }
       | postfix '[' subs ']'   { $$ = ex_index(p, @$, $1, $3); }
       | postfix '\''           { $$ = ex_unary(p, @$, UN_transpose, $1); }
       ;

primary: INT                    { $$ = ex_int(p, @$, $1); }
       | REAL                   { $$ = ex_real(p, @$, $1); }
       | TRUE                   { $$ = ex_bool(p, @$, true); }
       | FALSE                  { $$ = ex_bool(p, @$, false); }
       | TEXT                   { $$ = ex_text(p, @$, $1); }
       | name                   { $$ = ex_name(p, @$, $1.name); }
       | '(' expr ')'           { $$ = ex_paren(p, @$, $2); }
       | '(' ')'                { $$ = ex_no_parts(p, @$); }
       | '(' expr ',' expr_list comma ')'
                                { $$ = ex_tuple(p, @$, $2, $4); }
       | '[' args ']'           { $$ = ex_tensor(p, @$, $2); }
       | '[' arg_list '|' expr ']'  { $$ = ex_comp(p, @$, $2, $4); }
       | if
       | block
       | anonymous block        { $$ = ex_fn(p, @$, fn_body(p, @$, $1, $2)); }
       ;

if: IF expr block ELSE block    { $$ = ex_if(p, @$, $2, $3, $5); }
  | IF expr block ELSE if       { $$ = ex_if(p, @$, $2, $3, $5); }
  ;

args: %empty                    { $$ = NEW_LIST(ArgList); }
    | arg_list comma            { $$ = $1; }
    ;
arg_list: arg                   { $$ = NEW_LIST(ArgList); ADD($$, $1); }
        | arg_list ',' arg      { ADD($1, $3); $$ = $1; }
        ;
arg: expr                       { $$ = (Arg){NULL, {0, 0}, $1}; }
   | name '=' expr              { $$ = (Arg){$1.name, $1.span, $3}; }
   ;

subs: sub_list comma
    ;
sub_list: sub                   { $$ = NEW_LIST(SubList); ADD($$, $1); }
        | sub_list ',' sub      { ADD($1, $3); $$ = $1; }
        ;
sub: expr                       { $$ = (Sub){.lo = $1, .span = @$}; }
   | end ':' end                { $$ = (Sub){.range = true, .lo = $1, .hi = $3,
                                             .span = @$}; }
   | end ':' end ':' end        { $$ = (Sub){.range = true, .lo = $1, .hi = $3,
                                             .step = $5, .span = @$}; }
   | DOTS                       { $$ = (Sub){.range = true, .rest = true,
                                             .span = @$}; }
   ;
end: %empty                     { $$ = NULL; }
   | expr
   ;

exprs: %empty                   { $$ = NULL; }
     | expr_list comma          { $$ = $1; }
     ;
expr_list: expr                 { $$ = NEW_LIST(ExprList); ADD($$, $1); }
         | expr_list ',' expr   { ADD($1, $3); $$ = $1; }
         ;

/* Types. */

type_opt: %empty                { $$ = NULL; }
        | ':' type              { $$ = $2; }
        ;
type: name                      { $$ = te_name(p, @$, NULL, $1); }
    | name '.' name             { $$ = te_name(p, @$, $1.name, $3); }
    | type_brackets
    | '(' type_list comma ')'   { $$ = te_tuple(p, @$, $2); }
    | '[' type ';' expr ']'     { $$ = te_stack(p, @$, $2, $4); }
    | FN '(' types ')' ARROW type { $$ = te_fn(p, @$, $3, $6); }
    ;
type_brackets: name '[' exprs ']'
                    { $$ = te_args(p, @$, te_name(p, @1, NULL, $1), false,
                                   $3); }
             | name '[' DOTS ']'
                    { $$ = te_args(p, @$, te_name(p, @1, NULL, $1), true,
                                   NULL); }
             | name '[' DOTS ',' exprs ']'
                    { $$ = te_args(p, @$, te_name(p, @1, NULL, $1), true,
                                   $5); }
             | name '.' name '[' exprs ']'
                    { $$ = te_args(p, @$, te_name(p, @$, $1.name, $3), false,
                                   $5); }
             ;
types: %empty                   { $$ = NEW_LIST(TypeList); }
     | type_list comma          { $$ = $1; }
     ;
type_list: type                 { $$ = NEW_LIST(TypeList); ADD($$, $1); }
         | type_list ',' type   { ADD($1, $3); $$ = $1; }
         ;

%%

static void yyerror(const YYLTYPE *at, void *scanner, struct parse *p,
                    const char *message)
{
    (void)scanner, (void)message; /* the stack is full: all else is custom */
    parse_too_deep(p, *at);
}

static int yyreport_syntax_error(const yypcontext_t *c, void *scanner,
                                 struct parse *p)
{
    enum { MOST = YYNTOKENS };
    yysymbol_kind_t kind[MOST];
    const char *name[MOST];
    (void)scanner;
    int n = yypcontext_expected_tokens(c, kind, MOST);
    if (n < 0)
        return n;
    for (int i = 0; i < n; i++)
        name[i] = yysymbol_name(kind[i]);
    parse_unexpected(p, *yypcontext_location(c),
                     yypcontext_token(c) == YYSYMBOL_YYEOF, name, n);
    return 0;
}
