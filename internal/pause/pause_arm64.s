#include "textflag.h"

// ISB waits until the pipeline is empty. YIELD does nothing on cores without
// hyperthreads, which is why Go's runtime has ISB too.
//
// func Once()
TEXT ·Once(SB), NOSPLIT, $0-0
	ISB	$15
	RET

// func Ticks() uint64
TEXT ·Ticks(SB), NOSPLIT, $0-8
	MRS	CNTVCT_EL0, R0
	MOVD	R0, ret+0(FP)
	RET

// func frequency() uint64
TEXT ·frequency(SB), NOSPLIT, $0-8
	MRS	CNTFRQ_EL0, R0
	MOVD	R0, ret+0(FP)
	RET
