package pause

// PerMicrosecond returns how many Ticks a microsecond has at most. The counter runs at
// about the processor's nominal speed, so a microsecond may have half as many.
func PerMicrosecond() uint64 { return 4096 }
