package memconn

import "fmt"

const (
	defaultBuffer  = 64 << 10
	defaultBacklog = 128

	maxBuffer  = 1 << 61 // of bytering.New
	maxBacklog = 1 << 20
)

// An Option changes how [Pipe] and [Listen] work.
type Option func(*config)

type config struct {
	buffer  int
	backlog int
	name    string
}

// configure panics for an option that is out of range.
func configure(opts []Option) config {
	c := config{buffer: defaultBuffer, backlog: defaultBacklog, name: network}
	for _, o := range opts {
		o(&c)
	}
	switch {
	case c.buffer < 1:
		panic(fmt.Sprintf("memconn: Buffer of %d bytes, below 1", c.buffer))
	case uint64(c.buffer) > maxBuffer:
		panic(fmt.Sprintf("memconn: Buffer of %d bytes, above 1<<61", c.buffer))
	case c.backlog < 0:
		panic(fmt.Sprintf("memconn: Backlog of %d, below 0", c.backlog))
	case c.backlog > maxBacklog:
		panic(fmt.Sprintf("memconn: Backlog of %d, above 1<<20", c.backlog))
	}
	return c
}

// Buffer sets how many bytes each direction of a connection can hold, from 1 to
// 1<<61. The default is 64 KiB. [Pipe] and [Listen] panic for other values. If
// there is not enough memory for n bytes, Pipe and the dial methods panic.
func Buffer(n int) Option { return func(c *config) { c.buffer = n } }

// Backlog sets how many dialed connections may wait for Accept, from 0 to 1<<20.
// The default is 128. With 0 a Dial blocks until its connection is accepted.
// [Pipe] and [Listen] panic for other values. Pipe ignores a valid one.
func Backlog(n int) Option { return func(c *config) { c.backlog = n } }

// Name sets the name in addresses, which is "mem" without it. See [Addr].
func Name(name string) Option { return func(c *config) { c.name = name } }
