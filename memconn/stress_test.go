//go:build !interleave

package memconn

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"
)

// Whatever the order of reads and writes, a read makes as much room as it takes,
// without a further read.
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

// The writes of several goroutines are not mixed, and nothing is lost, whichever
// goroutine reads.
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

// TestStress does everything at once. Every call must return, and the readers
// together must get as much as the writers wrote.
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
		for range 3 {
			writers.Go(func() {
				for range 200 {
					n, err := a.Write(make([]byte, rand.IntN(50)))
					add(&sent, int64(n))
					if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
						t.Errorf("Write: %v", err)
					}
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

// TestCloseRace closes ends in all ways at once. No call may be left waiting.
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
