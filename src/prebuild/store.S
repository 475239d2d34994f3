/* store.S: the store of prebuilt functions, as prebuilt.h declares it. */
        .section .rodata
        .globl nncc_prebuilt, nncc_prebuilt_size
        .balign 64
nncc_prebuilt:
        .incbin STORE
.Lend:
        .balign 8
nncc_prebuilt_size:
        .quad .Lend - nncc_prebuilt
        .section .note.GNU-stack,"",%progbits
