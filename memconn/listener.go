package memconn

import (
	"context"
	"net"
	"sync"
)

// A Listener hands out the other ends of what is dialled through it: by
// [Listener.DialContext] for net/http, by [Listener.DialAddr] for gRPC. Any
// goroutine may call any method at any time. [Listen] makes one; the zero
// Listener is not usable.
type Listener struct {
	cfg   config
	addr  net.Addr
	queue chan *Conn // dialled, not accepted yet
	once  sync.Once
	done  chan struct{} // closed by Close
}

var _ net.Listener = (*Listener)(nil)

// Listen returns a listener. It is reached by its own methods alone.
func Listen(opts ...Option) *Listener {
	cfg := configure(opts)
	addr := Addr{Name: cfg.name}
	if cfg.name == "" {
		addr = cfg.address()
	}
	return &Listener{
		cfg:   cfg,
		addr:  addr,
		queue: make(chan *Conn, cfg.backlog),
		done:  make(chan struct{}),
	}
}

// Addr returns the listener's [Addr], which is also that of the ends that
// Accept returns.
func (l *Listener) Addr() net.Addr { return l.addr }

// Accept blocks for the next connection and returns this side's end, a [*Conn].
// After Close it fails with net.ErrClosed.
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

// Dial makes a connection and returns the client's end, a [*Conn]. Like TCP it
// does not wait for Accept unless the backlog is full. It fails with the error
// of ctx if that ends first, and with net.ErrClosed after Close.
func (l *Listener) Dial(ctx context.Context) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, l.opError("dial", err)
	}
	select {
	case <-l.done: // spares the rings
		return nil, l.opError("dial", net.ErrClosed)
	default:
	}
	client, server := pair(l.cfg.buffer, l.cfg.address(), l.addr)
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

// DialContext is [Listener.Dial] for http.Transport.DialContext and its like.
// The network and the address do not matter.
func (l *Listener) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	return l.Dial(ctx)
}

// DialAddr is [Listener.Dial] for grpc.WithContextDialer. The address does not
// matter to it. It does to gRPC, which takes the listener's address alone for a
// name to look up, and fails; with the scheme passthrough it looks up nothing:
//
//	grpc.NewClient("passthrough:///"+l.Addr().String(), grpc.WithContextDialer(l.DialAddr), ...)
func (l *Listener) DialAddr(ctx context.Context, _ string) (net.Conn, error) {
	return l.Dial(ctx)
}

// Close ends every Accept and every Dial that blocks. Connections that were
// dialled and not accepted are closed; accepted ones are left alone. It never
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
