/* vectors.c: where a Cortex-M begins: its stack and its first function, which
 * turns the FPU on before the C library starts. */
void _start(void);
void reset(void);

__attribute__((naked)) void reset(void)
{
#ifdef __ARM_FP
    __asm__("ldr r0, =0xe000ed88\n ldr r1, [r0]\n orr r1, r1, #0xf00000\n"
            " str r1, [r0]\n dsb\n isb\n");
#endif
    __asm__("ldr r0, =_start\n bx r0\n .ltorg\n");
}

typedef struct Vectors {
    unsigned long stack;
    void (*reset)(void);
} Vectors;
extern const Vectors vectors;
__attribute__((section(".vectors"), used))
const Vectors vectors = {0x20008000, reset};
