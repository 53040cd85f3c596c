package main

import (
	"math"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// mostOfMemory is how much of the memory the ring may take, in percent. The rest
// is for the process itself, and for others. A control group ends a process that
// takes more than there is without a word, once the ring fills up.
const mostOfMemory = 80

// memoryLimit returns how much memory there is for the process, and what says so:
// the machine, or a control group that gives less. What can't be found out
// limits nothing.
func memoryLimit() (bytes uint64, by string) {
	bytes, by = math.MaxUint64, "the machine"
	if n, err := memlimit.FromSystem(); err == nil {
		bytes = n
	}
	if n, err := memlimit.FromCgroup(); err == nil && n < bytes {
		bytes, by = n, "the control group"
	}
	return bytes, by
}

// fitMemory settles how large the ring is, where that is a part of the memory,
// and returns an error if it would take too much of it. What lies in a file takes
// none.
func (s *stream) fitMemory() error {
	limit, by := memoryLimit()
	if s.share > 0 {
		s.memory.bytes = max(1, int(min(float64(limit)*s.share/100, math.MaxInt/2)))
		if s.direct {
			s.memory.roundUp(directMemory)
		}
		s.block.bytes = min(s.block.bytes, max(1, s.memory.bytes/2))
	}
	if inFile := s.ringFile != "" || s.tempFile; inFile || uint64(s.memory.bytes) <= limit/100*mostOfMemory {
		return nil
	}
	return fail(exitRefused, "%s %v: more than %d%% of the memory that %s has, which is %s",
		memoryFlag[s.as], s.memory, mostOfMemory, by, bytesText(float64(limit)))
}
