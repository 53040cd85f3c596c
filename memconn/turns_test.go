package memconn

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
	"weak"

	"github.com/bytering/bytering/internal/atomics"
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

// The same with all at once: whatever the order, what is read makes room for as
// much, and no further read is needed for it.
func TestReadsMakeRoom(t *testing.T) {
	rounds := 3000
	if testing.Short() {
		rounds = 300
	}
	a, b := ends(t, Buffer(256))
	a.Write(make([]byte, 256))
	for round := range rounds {
		var wg sync.WaitGroup
		for i := range 3 {
			n := 1 + (round+i)%9
			wg.Go(func() {
				if m, err := a.Write(make([]byte, n)); m != n || err != nil {
					t.Errorf("Write = %d, %v", m, err)
				}
			})
			wg.Go(func() {
				for range n {
					if m, err := b.Read(make([]byte, 1)); m != 1 || err != nil {
						t.Errorf("Read = %d, %v", m, err)
					}
				}
			})
			wg.Go(func() { b.SetReadDeadline(time.Now().Add(time.Hour)); b.SetReadDeadline(time.Time{}) })
		}
		wg.Wait()
	}
}

// What several write is not mixed, and nothing is lost, whoever reads.
func TestWritesAreWhole(t *testing.T) {
	const writers, each = 4, 300
	for _, buffer := range []int{16, 1000, 64 << 10} {
		a, b := ends(t, Buffer(buffer))
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					msg := make([]byte, 2+(w*31+i)%100)
					for j := range msg {
						msg[j] = byte(w)
					}
					msg[0] = byte(len(msg))
					if n, err := a.Write(msg); n != len(msg) || err != nil {
						t.Errorf("Write = %d, %v", n, err)
						return
					}
				}
			})
		}
		go func() { wg.Wait(); a.CloseWrite() }()
		msg := make([]byte, 256)
		got := 0
		for {
			if _, err := io.ReadFull(b, msg[:1]); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			rest := msg[1:msg[0]]
			if _, err := io.ReadFull(b, rest); err != nil {
				t.Fatal(err)
			}
			for _, c := range rest {
				if c != rest[0] {
					t.Fatalf("mixed: %v", rest)
				}
			}
			got++
		}
		if got != writers*each {
			t.Errorf("%d messages of %d", got, writers*each)
		}
	}
}

// Everything at once, and in the end every call returns. What all
// readers got is as much as all writers wrote.
func TestStress(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 4
	}
	for round := range rounds {
		a, b := ends(t, Buffer([]int{1, 10, 100, 10_000}[round%4]))
		var sent, got int64
		var mu sync.Mutex
		add := func(p *int64, n int64) { mu.Lock(); *p += n; mu.Unlock() }
		var writers, all sync.WaitGroup
		for i := range 3 {
			writers.Go(func() {
				for range 200 {
					n, err := a.Write(make([]byte, rand.IntN(50)))
					add(&sent, int64(n))
					if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
						t.Errorf("Write: %v", err)
					}
				}
				n, err := a.ReadFrom(io.LimitReader(zeros{}, 100))
				add(&sent, n)
				if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("ReadFrom: %v", err)
				}
			})
			all.Go(func() {
				for {
					n, err := b.Read(make([]byte, 1+rand.IntN(20)))
					add(&got, int64(n))
					if err == io.EOF {
						return
					}
					if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
						t.Errorf("Read: %v", err)
					}
				}
			})
			if i == 0 {
				all.Go(func() {
					for {
						n, err := b.WriteTo(io.Discard)
						add(&got, n)
						if err == nil {
							return
						}
						if !errors.Is(err, os.ErrDeadlineExceeded) {
							t.Errorf("WriteTo: %v", err)
						}
					}
				})
			}
		}
		stop := make(chan struct{})
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				d := time.Duration(rand.IntN(200)-20) * time.Microsecond
				a.SetWriteDeadline(time.Now().Add(d))
				b.SetReadDeadline(time.Now().Add(d))
				time.Sleep(50 * time.Microsecond)
				a.SetDeadline(time.Time{})
				b.SetDeadline(time.Time{})
			}
		})
		writers.Wait()
		close(stop)
		a.CloseWrite()
		all.Wait()
		if sent != got {
			t.Errorf("%d bytes were written and %d read", sent, got)
		}
	}
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// Closes from everywhere leave no call behind.
func TestCloseRace(t *testing.T) {
	for i := range 500 {
		a, b := ends(t, Buffer(16))
		var wg sync.WaitGroup
		for _, c := range []*Conn{a, b} {
			for range 2 {
				wg.Go(func() {
					for {
						if _, err := c.Write(make([]byte, 7)); err != nil {
							return
						}
					}
				})
				wg.Go(func() {
					for {
						if _, err := c.Read(make([]byte, 1+i%20)); err != nil {
							return
						}
					}
				})
			}
		}
		for range i % 5 {
			time.Sleep(10 * time.Microsecond)
		}
		switch i % 3 {
		case 0:
			wg.Go(func() { a.Close() })
		case 1:
			wg.Go(func() { a.Close() })
			wg.Go(func() { b.Close() })
		case 2:
			wg.Go(func() { a.CloseWrite(); b.CloseWrite() })
			wg.Go(func() { a.CloseRead(); b.CloseRead() })
		}
		wg.Wait()
	}
}

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
	var locks []weak.Pointer[atomics.Cond]
	for range 10 {
		x, _ := Pipe()
		a := x.(*Conn)
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
		locks = slices.DeleteFunc(locks, func(p weak.Pointer[atomics.Cond]) bool { return p.Value() == nil })
		if len(locks) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d locks are still there", len(locks))
}
