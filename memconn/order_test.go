//go:build !interleave

package memconn

import (
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A second deadline ends a wait as the first did, even though the timer has gone
// off before.
func TestSecondDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := ends(t, Buffer(8))
		a.Write(make([]byte, 8))
		for range 3 {
			a.SetDeadline(time.Now().Add(time.Second))
			writers, readers := waiters(a, 3)
			for range 3 {
				for _, ch := range []chan result{writers, readers} {
					if r := <-ch; !errors.Is(r.err, os.ErrDeadlineExceeded) || r.took != time.Second {
						t.Errorf("the wait ended with %v after %v", r.err, r.took)
					}
				}
			}
		}
	})
}

// Goroutines get their turns in the order in which they asked, so one that writes
// again and again does not keep another waiting.
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

// A change of the deadline does not change the order of the waiters.
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
			time.Sleep(time.Minute) // the deadline that was replaced passes
			got := make([]byte, 3*writers)
			io.ReadFull(b, got)
			if !slices.IsSorted(got) {
				t.Errorf("the order is %v after deadlines of %v", got, deadlines)
			}
		})
	}
}

// An empty call does not wait for a turn.
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
			t.Errorf("the calls took %v", took)
		}
	})
}
