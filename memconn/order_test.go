//go:build !interleave

package memconn

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/bytering/bytering/internal/seam"
)

// A second deadline ends a wait as the first did, though the alarm has gone off
// already.
func TestSecondDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := ends(t)
		hold(t, a, b)
		for range 3 {
			a.SetWriteDeadline(time.Now().Add(time.Second))
			b.SetReadDeadline(time.Now().Add(time.Second))
			writers, readers := waiters(a, b, 2)
			for range 2 {
				for _, ch := range []chan result{writers, readers} {
					if r := <-ch; !errors.Is(r.err, os.ErrDeadlineExceeded) || r.took != time.Second {
						t.Errorf("%v after %v", r.err, r.took)
					}
				}
			}
		}
	})
}

// Turns come in the order in which they were asked for, so a goroutine that
// writes again and again does not keep another waiting.
func TestTurnsAreInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := ends(t, Buffer(4))
		for i := range 5 {
			go func() { a.Write([]byte{byte(i), byte(i), byte(i)}) }()
			synctest.Wait()
		}
		got := make([]byte, 15)
		io.ReadFull(b, got)
		if !slices.IsSorted(got) {
			t.Errorf("%v", got)
		}

		stop := false
		go func() {
			for !stop {
				a.Write(make([]byte, 8))
			}
			a.Close()
		}()
		synctest.Wait()
		wrote := false
		go func() { a.Write([]byte("x")); wrote = true }()
		for range 10 {
			synctest.Wait()
			io.ReadFull(b, make([]byte, 8))
		}
		if synctest.Wait(); !wrote {
			t.Error("a Write waits while another goroutine writes ten times")
		}
		stop = true
		io.ReadAll(b)
	})
}

// A change of the deadline leaves the order of those that wait as it is.
func TestDeadlinesKeepTheOrder(t *testing.T) {
	for _, deadlines := range [][]time.Duration{{time.Hour}, {time.Second, time.Hour}, {time.Second, 0}} {
		synctest.Test(t, func(t *testing.T) {
			a, b := ends(t, Buffer(4))
			const writers = 9
			for i := range writers {
				go a.Write([]byte{byte(i), byte(i), byte(i)})
				synctest.Wait()
			}
			for _, d := range deadlines {
				var at time.Time
				if d > 0 {
					at = time.Now().Add(d)
				}
				a.SetWriteDeadline(at)
				synctest.Wait()
			}
			time.Sleep(time.Minute) // past the deadline that was taken back
			got := make([]byte, 3*writers)
			io.ReadFull(b, got)
			if !slices.IsSorted(got) {
				t.Errorf("%v after deadlines of %v", got, deadlines)
			}
		})
	}
}

// A call with nothing to do does not wait for a turn.
func TestEmptyCallsDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := ends(t, Buffer(4))
		go a.Read(make([]byte, 1))
		go a.Write(make([]byte, 5))
		synctest.Wait()
		hold := func(what string, n int, err, want error) {
			if n != 0 || !errors.Is(err, want) {
				t.Errorf("%s = %d, %v, want %v", what, n, err, want)
			}
		}
		start := time.Now()
		calls := func(read, write error) {
			t.Helper()
			n, err := a.Read(nil)
			hold("Read", n, err, read)
			n, err = a.Write([]byte{})
			hold("Write", n, err, write)
		}
		calls(nil, nil)
		a.SetDeadline(time.Now().Add(time.Hour))
		calls(nil, nil)
		b.CloseWrite()
		calls(io.EOF, nil)
		b.Close()
		calls(io.EOF, io.ErrClosedPipe)
		a.Close()
		calls(net.ErrClosed, net.ErrClosed)
		if took := time.Since(start); took != 0 {
			t.Errorf("they took %v", took)
		}
	})
}

// A WriteTo that waits for its turn sees the end of the stream, which is not an
// error, and the end of its own side.
func TestWriteToWaitsForTheEnd(t *testing.T) {
	for name, end := range map[string]func(a, b *Conn) error{
		"peer's Close":      func(a, b *Conn) error { return b.Close() },
		"peer's CloseWrite": func(a, b *Conn) error { return b.CloseWrite() },
		"own CloseRead":     func(a, b *Conn) error { return a.CloseRead() },
	} {
		synctest.Test(t, func(t *testing.T) {
			a, b := ends(t)
			a.in.r.lock(a.in.c)
			n, err, done := int64(1), error(nil), false
			go func() { n, err = a.WriteTo(io.Discard); done = true }()
			if synctest.Wait(); done {
				t.Errorf("%s: WriteTo does not wait", name)
			}
			end(a, b)
			if synctest.Wait(); !done || n != 0 || err != nil {
				t.Errorf("%s: WriteTo = %d, %v, done %t", name, n, err, done)
			}
			a.in.r.unlock()
		})
	}
}

// Once the goroutines that waited under a deadline have left, nothing refers to
// the lock, even if the deadline is an hour away.
func TestNoAlarmStays(t *testing.T) {
	var locks []weak.Pointer[seam.Cond]
	for range 10 {
		a, _ := Pipe()
		a.SetDeadline(time.Now().Add(time.Hour))
		a.in.r.lock(a.in.c)
		a.out.w.lock(a.out.p)
		var waiting sync.WaitGroup
		for range 3 {
			waiting.Go(func() { a.Read(make([]byte, 1)) })
			waiting.Go(func() { a.Write(make([]byte, 1)) })
		}
		for a.in.r.state.Load() < 3*waiter || a.out.w.state.Load() < 3*waiter {
			time.Sleep(time.Millisecond)
		}
		a.Close()
		waiting.Wait()
		locks = append(locks, weak.Make(a.in.r.turn), weak.Make(a.out.w.turn))
	}
	for range 200 {
		runtime.GC()
		locks = slices.DeleteFunc(locks, func(p weak.Pointer[seam.Cond]) bool { return p.Value() == nil })
		if len(locks) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d locks are still there", len(locks))
}
