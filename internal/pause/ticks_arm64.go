package pause

var perMicrosecond = max(1, frequency()/1e6)

// PerMicrosecond returns how many Ticks a microsecond has.
func PerMicrosecond() uint64 { return perMicrosecond }

// frequency returns how many Ticks a second has.
func frequency() uint64
