package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// services measures net/http and gRPC, which commonly run over connections, with
// one connection per client that stays open.
func services() []suite {
	kinds := []struct {
		name, title, op string
		prepare         func(l place, size int) (trial, error)
	}{
		{"conns-http", "net/http: a client gets a body, over and over", "request",
			func(l place, size int) (trial, error) { return newWeb(l, size, 1) }},
		{"conns-http8", "net/http: eight clients at once", "request",
			func(l place, size int) (trial, error) { return newWeb(l, size, 8) }},
		{"conns-grpc", "gRPC: unary calls that echo their bytes", "call",
			func(l place, size int) (trial, error) { return newEcho(l, size) }},
	}
	var all []suite
	for _, k := range kinds {
		s := suite{name: k.name, title: k.title, op: k.op, sizes: []int{64, 1 << 10, 32 << 10}, metrics: []metric{took(k.op), allocated(k.op)}, legend: []string{
			"Most of the time is spent in net/http or gRPC.",
		}}
		for _, n := range nets() {
			s.contenders = append(s.contenders, contender{name: n.name, ours: n.ours, prepare: func(cfg config, size int) (trial, error) {
				l, err := n.listen(cfg.capacity)
				if err != nil {
					return nil, err
				}
				return k.prepare(l, size)
			}})
		}
		all = append(all, s)
	}
	return all
}

// A web is a trial of requests by a number of clients.
type web struct {
	srv     *http.Server
	tr      *http.Transport
	body    []byte
	clients int
	served  chan error
}

func newWeb(l place, size, clients int) (*web, error) {
	w := &web{
		body:    make([]byte, size),
		clients: clients,
		served:  make(chan error, 1),
		tr: &http.Transport{
			MaxIdleConnsPerHost: clients,
			DisableCompression:  true,
			DialContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return l.dial(ctx) },
		},
	}
	fill(w.body, size)
	w.srv = &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.Write(w.body) })}
	go func() { w.served <- w.srv.Serve(l) }()
	return w, w.run(clients) // dials
}

func (w *web) run(n int) error {
	var left atomic.Int64
	left.Store(int64(n))
	errs := make(chan error, w.clients)
	var wg sync.WaitGroup
	for range w.clients {
		wg.Go(func() {
			got := make([]byte, len(w.body)+1)
			for left.Add(-1) >= 0 {
				if err := w.get(got); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

func (w *web) get(buf []byte) error {
	req, err := http.NewRequest("GET", "http://mem/", nil)
	if err != nil {
		return err
	}
	resp, err := w.tr.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	n, err := io.ReadFull(resp.Body, buf)
	if err != io.ErrUnexpectedEOF || !bytes.Equal(buf[:n], w.body) {
		return fmt.Errorf("%s with %d bytes, want %d: %w", resp.Status, n, len(w.body), err)
	}
	return nil
}

func (w *web) finish() error {
	w.tr.CloseIdleConnections()
	err := w.srv.Close()
	if served := <-w.served; served != http.ErrServerClosed {
		return errors.Join(err, served)
	}
	return err
}

// An echo is a trial of unary calls.
type echo struct {
	srv    *grpc.Server
	cc     *grpc.ClientConn
	body   []byte
	served chan error
}

// echoService is written by hand, so that no code has to be generated.
var echoService = grpc.ServiceDesc{
	ServiceName: "Echo",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{
		MethodName: "Echo",
		Handler: func(_ any, _ context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			in := new(wrapperspb.BytesValue)
			return in, dec(in)
		},
	}},
}

func newEcho(l place, size int) (*echo, error) {
	e := &echo{srv: grpc.NewServer(), body: make([]byte, size), served: make(chan error, 1)}
	e.srv.RegisterService(&echoService, e)
	go func() { e.served <- e.srv.Serve(l) }()
	fill(e.body, size)
	var err error
	e.cc, err = grpc.NewClient("passthrough:mem",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.dial(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	return e, e.run(1) // dials
}

func (e *echo) run(n int) error {
	for range n {
		in, out := wrapperspb.Bytes(e.body), new(wrapperspb.BytesValue)
		if err := e.cc.Invoke(context.Background(), "/Echo/Echo", in, out); err != nil {
			return err
		}
		if !bytes.Equal(out.Value, e.body) {
			return fmt.Errorf("got %d bytes back, want %d, or they differ", len(out.Value), len(e.body))
		}
	}
	return nil
}

func (e *echo) finish() error {
	err := e.cc.Close()
	e.srv.Stop()
	return errors.Join(err, <-e.served)
}
