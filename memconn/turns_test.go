//go:build !interleave

package memconn

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// stuck is a source and a sink whose calls do not return before it is closed.
type stuck chan struct{}

func (s stuck) Read([]byte) (int, error)    { <-s; return 0, io.EOF }
func (s stuck) Write(b []byte) (int, error) { <-s; return len(b), nil }

// hold keeps the writers of a and the readers of b waiting for their turn,
// until the test ends.
func hold(t *testing.T, a, b *Conn) {
	s := make(stuck)
	done := make(chan struct{}, 2)
	a.Write([]byte("x"))
	go func() { b.WriteTo(s); done <- struct{}{} }()
	synctest.Wait()
	go func() { a.ReadFrom(s); done <- struct{}{} }()
	synctest.Wait()
	t.Cleanup(func() { close(s); a.Close(); b.Close(); <-done; <-done })
}

// A result is what a call returned, and after how long.
type result struct {
	err  error
	took time.Duration
}

// waiters starts n writers of a and n readers of b, all waiting.
func waiters(a, b *Conn, n int) (writers, readers chan result) {
	writers, readers = make(chan result, n), make(chan result, n)
	start := time.Now()
	for range n {
		go func() {
			_, err := a.Write([]byte("y"))
			writers <- result{err, time.Since(start)}
		}()
		go func() {
			_, err := b.Read(make([]byte, 1))
			readers <- result{err, time.Since(start)}
		}()
	}
	synctest.Wait()
	return writers, readers
}

// Calls that wait for a turn while its holder is stuck outside keep the deadline
// and see every close, all of them.
func TestWaitingForATurnEnds(t *testing.T) {
	const n = 5
	in := func(d time.Duration) time.Time { return time.Now().Add(d) }
	set := func(a, b *Conn, d time.Duration) { a.SetWriteDeadline(in(d)); b.SetReadDeadline(in(d)) }
	for _, tc := range []struct {
		name        string
		before      func(a, b *Conn)
		while       func(a, b *Conn)
		took        time.Duration
		write, read error
	}{
		{"deadline before", func(a, b *Conn) { set(a, b, time.Second) }, nil, time.Second, os.ErrDeadlineExceeded, os.ErrDeadlineExceeded},
		{"deadline passed", func(a, b *Conn) { set(a, b, -time.Second) }, nil, 0, os.ErrDeadlineExceeded, os.ErrDeadlineExceeded},
		{"deadline while", nil, func(a, b *Conn) { set(a, b, time.Second) }, time.Second, os.ErrDeadlineExceeded, os.ErrDeadlineExceeded},
		{"deadline at once", nil, func(a, b *Conn) { set(a, b, -time.Second) }, 0, os.ErrDeadlineExceeded, os.ErrDeadlineExceeded},
		{"shortened", func(a, b *Conn) { set(a, b, time.Hour) }, func(a, b *Conn) { set(a, b, time.Second) }, time.Second, os.ErrDeadlineExceeded, os.ErrDeadlineExceeded},
		{"put off", func(a, b *Conn) { set(a, b, time.Second) }, func(a, b *Conn) { set(a, b, time.Hour) }, time.Hour, os.ErrDeadlineExceeded, os.ErrDeadlineExceeded},
		{"taken away, then Close", func(a, b *Conn) { set(a, b, time.Second) }, func(a, b *Conn) {
			a.SetWriteDeadline(time.Time{})
			b.SetReadDeadline(time.Time{})
			time.Sleep(time.Minute)
			a.Close()
			b.Close()
		}, time.Minute, net.ErrClosed, net.ErrClosed},
		{"Close", nil, func(a, b *Conn) { a.Close(); b.Close() }, 0, net.ErrClosed, net.ErrClosed},
		{"reader's Close", nil, func(a, b *Conn) { b.Close() }, 0, io.ErrClosedPipe, net.ErrClosed},
		{"halves", nil, func(a, b *Conn) { a.CloseWrite(); b.CloseRead() }, 0, io.ErrClosedPipe, io.EOF},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := ends(t)
				hold(t, a, b)
				if tc.before != nil {
					tc.before(a, b)
				}
				writers, readers := waiters(a, b, n)
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
				for _, l := range []*lock{&a.out.w, &b.in.r} {
					if s := l.state.Load(); s != held {
						t.Errorf("state %d is left", s)
					}
				}
			})
		})
	}
}

// The same where only this direction is ended, by its own side.
func TestOwnHalfEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := ends(t)
		hold(t, a, b)
		writers, readers := waiters(a, b, 3)
		a.CloseWrite()
		for range 3 {
			if r := <-writers; r.err != io.ErrClosedPipe {
				t.Errorf("Write: %v", r.err)
			}
		}
		b.CloseRead()
		for range 3 {
			if r := <-readers; r.err != io.EOF {
				t.Errorf("Read: %v", r.err)
			}
		}
	})
}

// The same where the holder is in the ring: all calls share one deadline, and
// after it all go on.
func TestDeadlineOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := ends(t, Buffer(8))
		a.Write(make([]byte, 8))
		b.Read(make([]byte, 8))
		a.Write(make([]byte, 8)) // full, wrapped nowhere
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

// A deadline ends a Write in the middle, and says how far it came.
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

// A writer that is parked goes on once there is room for what it has left, and
// be it that small reads make it.
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

		a, b := ends(t, Buffer(1004)) // of which two eighths are not a quarter
		a.Write(make([]byte, 1004))
		done := false
		go func() { a.ReadFrom(bytes.NewReader([]byte("x"))); done = true }()
		for i := range 251 {
			synctest.Wait()
			if done {
				t.Errorf("ReadFrom went on after %d bytes were read", i)
			}
			b.Read(make([]byte, 1))
		}
		synctest.Wait()
		if !done {
			t.Error("ReadFrom still waits after a quarter was read")
		}

		// What was read before is there for ReadFrom, too.
		a, b = ends(t, Buffer(1000))
		a.Write(make([]byte, 1000))
		for range 5 {
			b.Read(make([]byte, 1))
		}
		a.SetWriteDeadline(time.Now().Add(time.Second))
		if n, err := a.ReadFrom(iotest.DataErrReader(strings.NewReader("abcde"))); n != 5 || err != nil {
			t.Errorf("ReadFrom of what there is room for = %d, %v", n, err)
		}
	})
}
