" nn.vim: indentation of the nn language: two columns a brace.
if exists('b:did_indent')
  finish
endif
let b:did_indent = 1

setlocal indentexpr=NnIndent(v:lnum)
setlocal indentkeys=0},0),0],!^F,o,O
let b:undo_indent = 'setlocal indentexpr< indentkeys<'

if exists('*NnIndent')
  finish
endif

function NnIndent(line) abort
  let above = prevnonblank(a:line - 1)
  if above == 0
    return 0
  endif
  let text = substitute(getline(above), '#.*$', '', '')
  let deeper = text =~# '[{|=]\s*$'
  let closes = getline(a:line) =~# '^\s*[]})]'
  return indent(above) + (deeper - closes) * shiftwidth()
endfunction
