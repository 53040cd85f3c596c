package memconn

import (
	"context"
	"net"
	"sync"
)

// A Listener hands out the server's ends of connections that are dialed with its
// own methods: [Listener.DialContext] for net/http, [Listener.DialAddr] for gRPC,
// and [Listener.Dial]. Its methods may be called by any goroutine at any time.
// [Listen] makes a Listener; the zero Listener is not usable.
type Listener struct {
	cfg   config
	addr  net.Addr
	queue chan *Conn // dialled, not accepted yet
	once  sync.Once
	done  chan struct{} // closed by Close
}

var _ net.Listener = (*Listener)(nil)

// Listen returns a listener that can be reached only through its own methods. It
// panics if an option is out of range.
func Listen(opts ...Option) *Listener {
	cfg := configure(opts)
	return &Listener{
		cfg:   cfg,
		addr:  Addr(cfg.name),
		queue: make(chan *Conn, cfg.backlog),
		done:  make(chan struct{}),
	}
}

// Addr returns the listener's [Addr], which is also the local address of the ends
// that Accept returns.
func (l *Listener) Addr() net.Addr { return l.addr }

// Accept blocks until there is a connection and returns the server's end, a
// [*Conn]. After Close it fails with an error that wraps net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case <-l.done: // before the queue, in which a late Dial may have left something
		return nil, l.opError("accept", net.ErrClosed)
	default:
	}
	select {
	case <-l.done:
		return nil, l.opError("accept", net.ErrClosed)
	case c := <-l.queue:
		return c, nil
	}
}

// Dial makes a connection and returns the client's end, a [*Conn]. Like a TCP
// dial it does not wait for Accept unless the backlog is full. If ctx ends first,
// Dial fails with an error that wraps that of ctx. After Close it fails with an
// error that wraps net.ErrClosed. It panics if there is not enough memory for the
// buffers.
func (l *Listener) Dial(ctx context.Context) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, l.opError("dial", err)
	}
	select {
	case <-l.done: // spares the rings
		return nil, l.opError("dial", net.ErrClosed)
	default:
	}
	client, server := newPair(l.cfg.buffer, newAddr(l.cfg.name), l.addr)
	select {
	case l.queue <- server:
	case <-ctx.Done():
		return nil, l.opError("dial", ctx.Err())
	case <-l.done:
		return nil, l.opError("dial", net.ErrClosed)
	}
	// Either Close has yet to look through the queue, or it is seen here.
	select {
	case <-l.done:
		l.drain()
		client.Close()
		return nil, l.opError("dial", net.ErrClosed)
	default:
		return client, nil
	}
}

// DialContext is [Listener.Dial] in the form that http.Transport.DialContext
// needs. It ignores the network and the address.
func (l *Listener) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	return l.Dial(ctx)
}

// DialAddr is [Listener.Dial] in the form that grpc.WithContextDialer needs. It
// ignores the address, but gRPC does not: it would look up the listener's address
// as a host name, and fail. With the scheme passthrough gRPC looks up nothing:
//
//	grpc.NewClient("passthrough:///"+l.Addr().String(), grpc.WithContextDialer(l.DialAddr), ...)
func (l *Listener) DialAddr(ctx context.Context, _ string) (net.Conn, error) {
	return l.Dial(ctx)
}

// Close makes every blocked and later Accept and Dial fail. It closes connections
// that were dialed and not accepted, and leaves accepted ones alone. It never
// fails.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.done) })
	l.drain()
	return nil
}

// drain closes what will not be accepted.
func (l *Listener) drain() {
	for {
		select {
		case c := <-l.queue:
			c.Close()
		default:
			return
		}
	}
}

func (l *Listener) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: network, Addr: l.addr, Err: err}
}
