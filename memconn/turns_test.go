//go:build !interleave

package memconn

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// A result is the error of a call and how long it took.
type result struct {
	err  error
	took time.Duration
}

// waiters starts n writers and n readers of a. One of each gets the turn and parks
// in its ring, and the others wait for the turn.
//
// Precondition: there is no room to write, and there is nothing to read.
func waiters(a *Conn, n int) (writers, readers chan result) {
	writers, readers = make(chan result, n), make(chan result, n)
	start := time.Now()
	for range n {
		go func() {
			_, err := a.Write([]byte("y"))
			writers <- result{err, time.Since(start)}
		}()
		go func() {
			_, err := a.Read(make([]byte, 1))
			readers <- result{err, time.Since(start)}
		}()
	}
	synctest.Wait()
	return writers, readers
}

// Every call that waits for a turn observes the deadline and every close.
func TestWaitingForATurnEnds(t *testing.T) {
	const n = 5
	in := func(d time.Duration) time.Time { return time.Now().Add(d) }
	set := func(d time.Duration) func(a, b *Conn) {
		return func(a, b *Conn) { a.SetDeadline(in(d)) }
	}
	late := os.ErrDeadlineExceeded
	for _, tc := range []struct {
		name        string
		before      func(a, b *Conn)
		while       func(a, b *Conn)
		took        time.Duration
		write, read error
	}{
		{"deadline before", set(time.Second), nil, time.Second, late, late},
		{"deadline passed", set(-time.Second), nil, 0, late, late},
		{"deadline while", nil, set(time.Second), time.Second, late, late},
		{"deadline at once", nil, set(-time.Second), 0, late, late},
		{"shortened", set(time.Hour), set(time.Second), time.Second, late, late},
		{"put off", set(time.Second), set(time.Hour), time.Hour, late, late},
		{"taken away, then Close", set(time.Second), func(a, b *Conn) {
			a.SetDeadline(time.Time{})
			time.Sleep(time.Minute)
			a.Close()
		}, time.Minute, net.ErrClosed, net.ErrClosed},
		{"Close", nil, func(a, b *Conn) { a.Close() }, 0, net.ErrClosed, net.ErrClosed},
		{"peer's Close", nil, func(a, b *Conn) { b.Close() }, 0, io.ErrClosedPipe, io.EOF},
		{"halves", nil, func(a, b *Conn) { a.CloseWrite(); a.CloseRead() }, 0, io.ErrClosedPipe, io.EOF},
		{"peer's halves", nil, func(a, b *Conn) { b.CloseWrite(); b.CloseRead() }, 0, io.ErrClosedPipe, io.EOF},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := ends(t, Buffer(8))
				a.Write(make([]byte, 8))
				if tc.before != nil {
					tc.before(a, b)
				}
				writers, readers := waiters(a, n)
				if tc.while != nil {
					tc.while(a, b)
				}
				for range n {
					if r := <-writers; !errors.Is(r.err, tc.write) || r.took != tc.took {
						t.Errorf("Write: %v after %v, want %v after %v", r.err, r.took, tc.write, tc.took)
					}
					if r := <-readers; !errors.Is(r.err, tc.read) || r.took != tc.took {
						t.Errorf("Read: %v after %v, want %v after %v", r.err, r.took, tc.read, tc.took)
					}
				}
				if w, r := a.writing.n.Load(), a.reading.n.Load(); w != 0 || r != 0 {
					t.Errorf("the turns are taken: %d, %d", w, r)
				}
			})
		})
	}
}

// All calls share one deadline. After it is cleared, all can go on.
func TestDeadlineOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := ends(t, Buffer(8))
		a.Write(make([]byte, 8))
		b.Read(make([]byte, 8))
		a.Write(make([]byte, 8)) // fills the ring without a wrap
		a.SetWriteDeadline(time.Now().Add(time.Second))
		writers := make(chan result, 5)
		start := time.Now()
		for range 5 {
			go func() {
				_, err := a.Write([]byte("y"))
				writers <- result{err, time.Since(start)}
			}()
		}
		for range 5 {
			if r := <-writers; !errors.Is(r.err, os.ErrDeadlineExceeded) || r.took != time.Second {
				t.Errorf("Write: %v after %v", r.err, r.took)
			}
		}
		a.SetWriteDeadline(time.Time{})
		for range 5 {
			go func() { a.Write([]byte("z")); writers <- result{} }()
		}
		if _, err := io.ReadFull(b, make([]byte, 13)); err != nil {
			t.Error(err)
		}
		for range 5 {
			<-writers
		}
	})
}

// A deadline ends a Write in the middle. Write returns how far it came.
func TestWriteInPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := ends(t, Buffer(10))
		a.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := a.Write(make([]byte, 25))
		if n != 10 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write = %d, %v", n, err)
		}
		b.SetReadDeadline(time.Now().Add(time.Second))
		if n, err := io.ReadFull(b, make([]byte, 25)); n != 10 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("ReadFull = %d, %v", n, err)
		}
	})
}

// A parked writer goes on once there is room for the rest of its bytes, even if
// small reads make that room.
func TestSmallReadsFeedTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tc := range []struct{ write, read int }{{1, 1}, {10, 10}, {256, 256}, {300, 300}, {1000, 1000}, {3000, 3000}} {
			a, b := ends(t, Buffer(1000))
			a.Write(make([]byte, 1000))
			done := false
			go func() { a.Write(make([]byte, tc.write)); done = true }()
			synctest.Wait()
			for i := range tc.read {
				if done && i < min(tc.read, 250) {
					t.Errorf("a write of %d went on after %d bytes were read", tc.write, i)
					break
				}
				b.Read(make([]byte, 1))
				synctest.Wait()
			}
			if !done {
				t.Errorf("a write of %d still waits after %d bytes were read", tc.write, tc.read)
			}
		}
	})
}
