//go:build !interleave

package memconn

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestDialAccept(t *testing.T) {
	l := Listen(Name("shop"), Buffer(10))
	defer l.Close()
	ctx := context.Background()
	dials := []func() (net.Conn, error){
		func() (net.Conn, error) { return l.Dial(ctx) },
		func() (net.Conn, error) { return l.DialContext(ctx, "tcp", "shop:80") },
		func() (net.Conn, error) { return l.DialAddr(ctx, "shop") },
	}
	for _, dial := range dials {
		client, err := dial()
		if err != nil {
			t.Fatal(err)
		}
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if server.LocalAddr() != l.Addr() || client.RemoteAddr() != l.Addr() || client.LocalAddr() != server.RemoteAddr() {
			t.Errorf("%v-%v, %v-%v", client.LocalAddr(), client.RemoteAddr(), server.LocalAddr(), server.RemoteAddr())
		}
		io.WriteString(client, "hello")
		client.Close()
		if got, err := io.ReadAll(server); string(got) != "hello" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		if server.(*Conn).producer.Cap() != 10 || server.(*Conn).consumer.Cap() != 10 {
			t.Error("the buffer has another size")
		}
	}
	if got := l.Addr().String(); got != "shop" {
		t.Error(got)
	}
	if a := Listen().Addr(); a.String() != "mem" || a.Network() != "mem" {
		t.Errorf("%v", a)
	}
}

// checkOp compares an error of a listener with what package net would return.
func checkOp(t *testing.T, err error, op string, want error) {
	t.Helper()
	var oe *net.OpError
	if !errors.Is(err, want) || !errors.As(err, &oe) || oe.Op != op || oe.Net != "mem" {
		t.Errorf("%#v, want %s: %v", err, op, want)
	}
}

func TestBacklog(t *testing.T) {
	for _, backlog := range []int{0, 1, 3} {
		synctest.Test(t, func(t *testing.T) {
			l := Listen(Backlog(backlog))
			defer l.Close()
			for range backlog {
				if _, err := l.Dial(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			_, err := l.Dial(ctx)
			checkOp(t, err, "dial", context.DeadlineExceeded)
			if took := time.Since(start); took != time.Second || !err.(net.Error).Timeout() {
				t.Errorf("Dial returned %v after %v", err, took)
			}
			_, err = l.Dial(ctx) // ctx has ended already
			checkOp(t, err, "dial", context.DeadlineExceeded)

			var waiting net.Conn
			go func() { waiting, _ = l.Dial(t.Context()) }()
			synctest.Wait()
			if waiting != nil {
				t.Error("a Dial did not wait")
			}
			for range backlog + 1 { // none is left of those that gave up
				if _, err := l.Accept(); err != nil {
					t.Error(err)
				}
			}
			synctest.Wait()
			if waiting == nil {
				t.Error("a Dial still waits")
			}
		})
	}
}

func TestListenerClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		l := Listen(Backlog(1))
		accepted, _ := l.Dial(ctx)
		server, _ := l.Accept()
		queued, _ := l.Dial(ctx)
		dialled, unaccepted := make(chan error), make(chan error)
		for range 2 {
			go func() { _, err := l.Dial(ctx); dialled <- err }()
		}
		idle := Listen()
		go func() { _, err := idle.Accept(); unaccepted <- err }()
		synctest.Wait()

		for range 2 {
			if err := errors.Join(l.Close(), idle.Close()); err != nil {
				t.Error(err)
			}
		}
		checkOp(t, <-dialled, "dial", net.ErrClosed)
		checkOp(t, <-dialled, "dial", net.ErrClosed)
		checkOp(t, <-unaccepted, "accept", net.ErrClosed)
		_, err := l.Accept()
		checkOp(t, err, "accept", net.ErrClosed)
		_, err = l.Dial(ctx)
		checkOp(t, err, "dial", net.ErrClosed)

		if _, err := queued.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("Read of a connection that was not accepted: %v", err)
		}
		if _, err := queued.Write([]byte("x")); err != io.ErrClosedPipe {
			t.Errorf("Write of a connection that was not accepted: %v", err)
		}
		io.WriteString(accepted, "on")
		if n, err := server.Read(make([]byte, 2)); n != 2 || err != nil {
			t.Errorf("Read of an accepted connection = %d, %v", n, err)
		}
	})
}

// A connection that a late Dial leaves in the queue for a moment is never accepted.
func TestAcceptAfterClose(t *testing.T) {
	l := Listen()
	l.Close()
	_, server := ends(t)
	l.queue <- server
	for range 50 {
		_, err := l.Accept()
		checkOp(t, err, "accept", net.ErrClosed)
	}
}

// However Close, Dial and Accept meet, a caller that gets an end has a peer that
// got the other end, or finds it closed.
func TestListenerRace(t *testing.T) {
	for range 300 {
		l := Listen(Backlog(2))
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for {
					c, err := l.Dial(context.Background())
					if err != nil {
						return
					}
					if _, err := io.ReadAll(c); err != nil {
						t.Error(err)
					}
					c.Close()
				}
			})
		}
		wg.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				c.Close()
			}
		})
		time.Sleep(20 * time.Microsecond)
		l.Close()
		wg.Wait()
		if n := len(l.queue); n != 0 {
			t.Fatalf("%d connections are left in the queue", n)
		}
	}
}
