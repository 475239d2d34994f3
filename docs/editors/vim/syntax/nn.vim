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
syntax keyword nnDerivative remat stop init
syntax keyword nnReduction sum prod mean max min logsumexp any all argmax argmin
syntax keyword nnElementwise exp expm1 log log1p sqrt rsqrt cbrt pow hypot abs sign
syntax keyword nnElementwise sin cos tan asin acos atan atan2 sinh cosh tanh
syntax keyword nnElementwise sigmoid softplus erf erfc erfcx ndtr log_ndtr normal_density normal_hazard polygamma erfcx_integral logaddexp xlogy xlog1py lbeta lgamma digamma
syntax keyword nnElementwise floor ceil round where
syntax keyword nnTensor reshape transpose broadcast expand concat stack pad flip size shape moveaxis argsort take_along_axis
syntax keyword nnTensor zeros ones full iota onehot dot einsum is_constant
syntax keyword nnTensor factor_lu factor_cholesky factor_cholesky_tangent factor_substitute factor_qr factor_eigh factor_svd factor_banded dft
syntax keyword nnRandom split uniform normal bernoulli random_bits

syntax region nnText start='"' end='"' oneline
syntax match nnOperator '[-+*/%@^!<>=~|]\|&&\|\.\.'
syntax match nnNumber '\<\d[0-9_]*\%(\.\d[0-9_]*\)\=\%([eE][-+]\=\d[0-9_]*\)\=\>'
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
highlight default link nnReduction Function
highlight default link nnElementwise Function
highlight default link nnTensor Function
highlight default link nnRandom Function
highlight default link nnOperator Operator
highlight default link nnText String
highlight default link nnNumber Number
highlight default link nnFunction Function
highlight default link nnStruct Structure
highlight default link nnSetting Identifier
highlight default link nnComment Comment
highlight default link nnTodo Todo

let b:current_syntax = 'nn'
