package bytering

import (
	"runtime"

	"github.com/bytering/bytering/internal/memory"
)

// A mapping is memory that must be unmapped.
type mapping interface {
	Free() error
	Huge() (bytes int, ok bool)
}

// useMapping makes the ring unmap m when all halves are released. It must come
// before any of their calls.
func (r *ring) useMapping(m mapping, p *Producer, cs []*Consumer) {
	r.memory, r.mapped = m, true
	r.users.Store(int32(1 + len(cs)))
	p.guarded = true
	for _, c := range cs {
		c.guarded = true
	}
}

// unmapIfAbandoned unmaps m when the ring can no longer be reached, unless
// memory was handed out, which may be in use anywhere. No call is running then:
// each ends with a use of its half, in leave, and from a half the ring is
// reached.
func (r *ring) unmapIfAbandoned(m *memory.Memory) {
	r.cleanup = runtime.AddCleanup(r, func(m *memory.Memory) { m.Free() }, m)
}

// release counts a released half. The last one unmaps. Memory that the system
// fails to unmap is leaked.
func (r *ring) release() {
	if r.mapped && r.users.Add(-1) == 0 {
		r.mem, r.view = nil, nil
		r.memory.Free()
	}
}

// expose is called before the owner gets slices of a mapped ring. The half is
// used after that, so that the ring can be reached meanwhile. It is not inlined, so
// that lend is.
//
//go:noinline
func (h *half) expose() {
	if !h.exposed {
		h.exposed = true
		h.ring.cleanup.Stop()
	}
}

// HugePages returns how many bytes of the ring's memory lie in huge pages now.
// Memory that was never touched lies in no pages at all, so call it after
// [Prefault], or once the ring was used. ok is false if that is not known:
// without an option that maps the memory, after it was unmapped, or on this
// system. Any goroutine may call it. It reads what the system reports about the
// process, which takes a while; a Close that unmaps blocks for that long.
func (p *Producer) HugePages() (bytes int, ok bool) {
	if !p.ring.mapped {
		return 0, false
	}
	return p.ring.memory.Huge()
}
