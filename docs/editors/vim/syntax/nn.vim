" nn.vim: highlighting of the nn language.
if exists('b:current_syntax')
  finish
endif

syntax keyword nnKeyword use as const struct fn export let train derivative
syntax keyword nnConditional if else
syntax keyword nnRepeat fold scan until
syntax keyword nnBoolean true false
syntax keyword nnConstant pi inf nan
syntax keyword nnType real f32 f64 int i64 u8 bool key
syntax keyword nnDerivative grad value_and_grad jvp vjp jacobian hessian hvp sparse_jacobian sparse_hessian
syntax keyword nnDerivative remat init

syntax region nnText start='"' end='"' oneline
syntax match nnOperator '[-+*/%@^!<>=~|]\|&&\|\.\.'
syntax match nnNumber '\<\d[0-9_]*\%(\.\d[0-9_]*\)\=\%([eE][-+]\=\d[0-9_]*\)\=\>'
" What is called: the language's functions, the library's, the program's.
syntax match nnCall '\<\h\w*\ze\s*('
syntax match nnFunction '\%(\<fn\s\+\|\<derivative\s\+\)\@<=\h\w*'
syntax match nnStruct '\%(\<struct\s\+\)\@<=\h\w*'
" A field is no keyword, however it is called.
syntax match nnField '\.\@<=\h\w*'
syntax match nnSetting '\<\h\w*\ze\s*=[^=]'
syntax match nnComment '#.*$' contains=nnTodo,@Spell
syntax keyword nnTodo TODO FIXME NOTE contained
syntax region nnBlock start='{' end='}' transparent fold

highlight default link nnKeyword Keyword
highlight default link nnConditional Conditional
highlight default link nnRepeat Repeat
highlight default link nnBoolean Boolean
highlight default link nnConstant Constant
highlight default link nnType Type
highlight default link nnDerivative Macro
highlight default link nnCall Function
highlight default link nnOperator Operator
highlight default link nnText String
highlight default link nnNumber Number
highlight default link nnFunction Function
highlight default link nnStruct Structure
highlight default link nnSetting Identifier
highlight default link nnComment Comment
highlight default link nnTodo Todo

let b:current_syntax = 'nn'
