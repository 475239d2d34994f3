" nn.vim: how files of the nn language are edited.
if exists('b:did_ftplugin')
  finish
endif
let b:did_ftplugin = 1

setlocal expandtab shiftwidth=2 softtabstop=2 textwidth=100
setlocal comments=:# commentstring=#\ %s
setlocal formatoptions-=t formatoptions+=croql
setlocal suffixesadd=.nn

" The whole file as `nncc fmt` lays it out; a wrong program stays as it is.
function! s:Format() abort
  let text = systemlist('nncc fmt - 2>/dev/null', getline(1, '$'))
  if v:shell_error
    echohl ErrorMsg | echo 'no program: see nncc ' . expand('%') | echohl None
    return
  endif
  let view = winsaveview()
  call setline(1, text)
  silent! execute (len(text) + 1) . ',$delete _'
  call winrestview(view)
endfunction
command! -buffer NnFormat call s:Format()

let b:undo_ftplugin = 'setlocal expandtab< shiftwidth< softtabstop< textwidth<'
      \ . ' comments< commentstring< formatoptions< suffixesadd<'
      \ . ' | delcommand NnFormat'
