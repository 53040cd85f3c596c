package memconn

const (
	defaultBuffer  = 64 << 10
	defaultBacklog = 128
)

// An Option changes how [Pipe] and [Listen] work.
type Option func(*config)

type config struct {
	buffer  int
	backlog int
	name    string
}

func configure(opts []Option) config {
	c := config{buffer: defaultBuffer, backlog: defaultBacklog}
	for _, o := range opts {
		o(&c)
	}
	return c
}

// Buffer sets how many bytes each direction of a connection holds, at least 1;
// 64 KiB without it. [Pipe] and [Listen] panic if n is less, and where so much
// memory can't be had connecting panics, as make does.
func Buffer(n int) Option { return func(c *config) { c.buffer = n } }

// Backlog sets how many connections that were dialled may wait for Accept; 128
// without it. With 0 a Dial waits until it is accepted. [Listen] panics if n is
// negative. It means nothing to [Pipe].
func Backlog(n int) Option { return func(c *config) { c.backlog = n } }

// Name sets the name in the addresses: the whole address of a listener, and
// what stands before the colon for other ends. Without it that is "mem", and a
// listener has a number too.
func Name(name string) Option { return func(c *config) { c.name = name } }
