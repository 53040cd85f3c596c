#include "textflag.h"

// ISB waits until the pipeline is empty. YIELD does nothing on cores without
// hyperthreads, which is why Go's runtime has ISB too.
//
// func Once()
TEXT ·Once(SB), NOSPLIT, $0-0
	ISB	$15
	RET
