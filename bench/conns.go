package main

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/bytering/bytering/memconn"
	"google.golang.org/grpc/test/bufconn"
)

// conns returns the suites of connections, whose two directions work at once.
func conns() []suite {
	stream := suite{
		name:      "conns",
		title:     "One goroutine writes chunk after chunk into a connection, another reads them",
		op:        "chunk",
		sizes:     []int{8, 64, 512, 4 << 10, 32 << 10, 256 << 10},
		oneAndTwo: true,
		legend: []string{
			"All hold the capacity in each direction, except net.Pipe, which has no buffer and copies once, and TCP, whose buffers are the system's.",
			"bufconn is a ring under a mutex. When both ends run on one processor the mutex is never contended. A contended mutex puts one of them to sleep, which keeps bufconn on one processor, where no line moves between caches.",
			"memconn needs 6 atomic operations for a chunk and bufconn 4, because each of its halves has a lock in addition to the ring's compare-and-swap. In a round trip its consumers yield once instead of parking.",
		},
	}
	busy := suite{
		name:      "conns-busy",
		title:     "The same, while both hash every chunk with SHA-256",
		op:        "chunk",
		sizes:     stream.sizes,
		oneAndTwo: true,
		legend:    stream.legend,
	}
	trip := suite{
		name:      "conns-trip",
		title:     "A chunk goes over a connection and its echo comes back",
		op:        "round trip",
		sizes:     stream.sizes,
		oneAndTwo: true,
		legend:    stream.legend,
	}
	for _, n := range nets() {
		add := func(s *suite, prepare func(a, b net.Conn, cfg config, size int) (trial, error)) {
			s.contenders = append(s.contenders, contender{name: n.name, ours: n.ours, prepare: func(cfg config, size int) (trial, error) {
				l, err := n.listen(cfg.capacity)
				if err != nil {
					return nil, err
				}
				a, b, err := l.pair()
				if err != nil {
					return nil, err
				}
				return prepare(a, b, cfg, size)
			}})
		}
		add(&stream, func(a, b net.Conn, cfg config, size int) (trial, error) {
			return newConnStream(a, b, cfg, size)
		})
		add(&busy, func(a, b net.Conn, cfg config, size int) (trial, error) {
			s, err := newConnStream(a, b, cfg, size)
			if err != nil {
				return nil, err
			}
			return hashing(s), nil
		})
		add(&trip, func(a, b net.Conn, _ config, size int) (trial, error) {
			return newTrips(a, b, size), nil
		})
	}
	return append([]suite{stream, busy, trip}, services()...)
}

// A network is one of the ways to get connections.
type network struct {
	name   string
	ours   bool
	listen func(capacity int) (place, error)
}

// A place is a listener together with the function that dials it.
type place struct {
	net.Listener
	dial func(context.Context) (net.Conn, error)
}

// nets returns ours, then the rivals.
func nets() []network {
	return []network{
		{"memconn", true, func(capacity int) (place, error) {
			l := memconn.Listen(memconn.Buffer(capacity))
			return place{l, l.Dial}, nil
		}},
		{"grpc bufconn", false, func(capacity int) (place, error) {
			l := bufconn.Listen(capacity)
			return place{l, l.DialContext}, nil
		}},
		{"net.Pipe", false, func(int) (place, error) {
			l := &netPipes{make(chan net.Conn), make(chan struct{})}
			return place{l, l.dial}, nil
		}},
		{"TCP loopback", false, func(int) (place, error) { return listenTCP() }},
	}
}

func listenTCP() (place, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return place{}, err
	}
	return place{l, func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", l.Addr().String())
	}}, nil
}

// pair makes one connection, and closes the listener.
func (l place) pair() (a, b net.Conn, err error) {
	defer l.Close()
	return l.connect()
}

// connect makes one connection.
func (l place) connect() (a, b net.Conn, err error) {
	dialled := make(chan error, 1)
	go func() {
		var err error
		a, err = l.dial(context.Background())
		dialled <- err
	}()
	b, err = l.Accept()
	if err != nil {
		return nil, nil, err
	}
	return a, b, <-dialled
}

// netPipes is a listener for net.Pipe, which has none.
type netPipes struct {
	queue chan net.Conn
	done  chan struct{}
}

func (l *netPipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *netPipes) Close() error   { close(l.done); return nil }
func (l *netPipes) Addr() net.Addr { return memconn.Addr("pipe") }

func (l *netPipes) dial(ctx context.Context) (net.Conn, error) {
	a, b := net.Pipe()
	select {
	case l.queue <- b:
		return a, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// newConnStream is a stream over a connection. It closes both ends.
func newConnStream(a, b net.Conn, cfg config, size int) (*stream, error) {
	return newStream(link{open: func(int) (io.WriteCloser, io.Reader, error) { return a, b, nil }}, cfg.capacity, size)
}

// trips is a trial of round trips.
type trips struct {
	c       io.ReadWriteCloser
	out, in []byte
	echoed  chan error
}

func newTrips(a, b io.ReadWriteCloser, size int) *trips {
	t := &trips{c: a, out: make([]byte, size), in: make([]byte, size), echoed: make(chan error, 1)}
	go func() {
		defer b.Close()
		buf := make([]byte, size)
		for {
			if _, err := io.ReadFull(b, buf); err != nil {
				if err == io.EOF {
					err = nil
				}
				t.echoed <- err
				return
			}
			if err := writeChunk(b, buf); err != nil {
				t.echoed <- err
				return
			}
		}
	}()
	return t
}

func (t *trips) run(n int) error {
	for i := range n {
		stamp(t.out, uint64(i))
		if err := writeChunk(t.c, t.out); err != nil {
			return err
		}
		if err := readChunk(t.c, t.in); err != nil {
			return err
		}
		if err := checkStamp(t.in, uint64(i)); err != nil {
			return err
		}
	}
	return nil
}

func (t *trips) finish() error { return errors.Join(t.c.Close(), <-t.echoed) }
