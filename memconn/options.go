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
	c := config{buffer: defaultBuffer, backlog: defaultBacklog}
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

// Buffer sets how many bytes each direction of a connection holds, from 1 to
// 1<<61; 64 KiB without it. [Pipe] and [Listen] panic for others, and where so
// much memory can't be had connecting panics, as make does.
func Buffer(n int) Option { return func(c *config) { c.buffer = n } }

// Backlog sets how many connections that were dialled may wait for Accept, from 0
// to 1<<20; 128 without it. With 0 a Dial waits until it is accepted. [Pipe] and
// [Listen] panic for others. A value within that range means nothing to [Pipe].
func Backlog(n int) Option { return func(c *config) { c.backlog = n } }

// Name sets the name in the addresses: the whole address of a listener, and
// what stands before the colon for other ends. Without it that is "mem", and a
// listener has a number too.
func Name(name string) Option { return func(c *config) { c.name = name } }
