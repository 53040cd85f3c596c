package interleave

// A Mutex is a sync.Mutex that the scheduler interleaves.
type Mutex struct {
	free Token
	used bool // free is valid
}

func (m *Mutex) Lock() {
	if !m.used {
		m.used, m.free.full = true, true
	}
	m.free.Take(nil)
}

func (m *Mutex) Unlock() { m.free.Post() }

func (m *Mutex) self() *object { return &m.free.object }
