package main

import (
	"math"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// mostOfMemory is how much of the memory the ring may take, in percent. The rest
// is for the process itself, and for others. If the ring were larger than the
// limit of a control group, the kernel would kill the process without a message
// once the ring fills up.
const mostOfMemory = 80

// memoryLimit returns how much memory the process can have, and what limits it:
// the machine, or a control group with a lower limit. A limit that can't be read
// is ignored.
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

// fitMemory computes the size of the ring if it is given in percent of the
// memory. It returns an error if the ring would take too much memory. A ring in a
// file takes none.
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
