" nn.vim: files of the nn language by their names.
autocmd BufRead,BufNewFile *.nn setfiletype nn
