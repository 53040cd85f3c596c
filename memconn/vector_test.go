//go:build !interleave

package memconn

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering/internal/pattern"
	"github.com/bytering/bytering/vectored"
)

// split cuts b into slices of random lengths, some of them empty.
func split(b []byte, rng *rand.Rand) (bufs [][]byte) {
	for len(b) > 0 {
		n := min(rng.IntN(1+len(b)/2+1), len(b))
		bufs = append(bufs, b[:n:n])
		b = b[n:]
	}
	return append(bufs, nil)
}

// TestVectors writes and reads slices over rings that hold all of them or less than
// one. The slices must not be changed.
func TestVectors(t *testing.T) {
	for _, buffer := range []int{1, 7, 100, 64 << 10} {
		rng := rand.New(rand.NewPCG(1, uint64(buffer)))
		want := pattern.Bytes(0, min(20_000, 500*buffer))
		a, b := ends(t, Buffer(buffer))
		go func() {
			for rest := want; len(rest) > 0; {
				n := min(len(rest), 1+rng.IntN(300))
				bufs := split(rest[:n], rng)
				before := slices.Clone(bufs)
				if m, err := a.Writev(bufs); m != n || err != nil {
					t.Errorf("Writev of %d = %d, %v", n, m, err)
				}
				for i := range bufs {
					if len(bufs[i]) != len(before[i]) {
						t.Error("Writev has changed the slices")
					}
				}
				rest = rest[n:]
			}
			a.Close()
		}()
		var got []byte
		reads := rand.New(rand.NewPCG(2, uint64(buffer)))
		for {
			buf := make([]byte, 1+reads.IntN(300))
			n, err := b.Readv(split(buf, reads))
			if got = append(got, buf[:n]...); err == io.EOF {
				break
			}
			if n < 1 || err != nil {
				t.Fatalf("Readv = %d, %v", n, err)
			}
		}
		if !bytes.Equal(got, want) {
			t.Errorf("buffer %d: got %d bytes, want %d, or the bytes differ", buffer, len(got), len(want))
		}
	}
}

// Readv waits only for the first byte and returns what there is. It returns the end
// of the stream only if no byte comes before it.
func TestReadvIsOneRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := ends(t, Buffer(10))
		x, y, z := make([]byte, 2), make([]byte, 3), make([]byte, 4)
		bufs := [][]byte{nil, x, {}, y, z}
		n, err := 0, error(nil)
		go func() { n, err = b.Readv(bufs) }()
		synctest.Wait()
		io.WriteString(a, "abcd")
		if synctest.Wait(); n != 4 || err != nil || string(x)+string(y[:2]) != "abcd" || z[0] != 0 {
			t.Errorf("Readv = %d, %v: %s %s", n, err, x, y)
		}
		io.WriteString(a, "yz") // as much as the first slice holds
		if n, err := b.Readv(bufs); n != 2 || err != nil || string(x) != "yz" {
			t.Errorf("Readv of one slice = %d, %v", n, err)
		}
		io.WriteString(a, "e")
		a.Close()
		if n, err := b.Readv(bufs); n != 1 || err != nil || x[0] != 'e' {
			t.Errorf("Readv before the end = %d, %v", n, err)
		}
		if n, err := b.Readv(bufs); n != 0 || err != io.EOF {
			t.Errorf("Readv at the end = %d, %v", n, err)
		}
		// An empty call does nothing, even at the end.
		if n, err := b.Readv([][]byte{nil, {}}); n != 0 || err != nil {
			t.Errorf("Readv of nothing = %d, %v", n, err)
		}
		if n, err := b.Writev(nil); n != 0 || err != nil {
			t.Errorf("Writev of nothing = %d, %v", n, err)
		}
	})
}

// A Writev waits as a Write does, and returns how far it came.
func TestWritevInPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := ends(t, Buffer(10))
		a.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := a.Writev([][]byte{make([]byte, 4), make([]byte, 4), make([]byte, 4), make([]byte, 4)})
		if n != 10 || !errors.Is(err, os.ErrDeadlineExceeded) || !strings.HasPrefix(err.Error(), "writev mem ") {
			t.Errorf("Writev = %d, %v", n, err)
		}
		a.SetWriteDeadline(time.Time{})
		done := false
		go func() { n, err = a.Writev([][]byte{make([]byte, 1), make([]byte, 9)}); done = true }()
		if synctest.Wait(); done {
			t.Error("Writev does not wait for room")
		}
		if _, err := io.ReadFull(b, make([]byte, 20)); err != nil {
			t.Error(err)
		}
		if synctest.Wait(); n != 10 || err != nil {
			t.Errorf("Writev = %d, %v", n, err)
		}
	})
}

// Writes and Writevs of several goroutines are not mixed.
func TestWritevIsWhole(t *testing.T) {
	const writers, each, size = 4, 200, 30
	for _, buffer := range []int{7, 1000} {
		a, b := ends(t, Buffer(buffer))
		a.Write(make([]byte, buffer)) // the writers queue up until this is read
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				msg := bytes.Repeat([]byte{byte(w)}, size)
				for range each {
					if w%2 == 0 {
						a.Write(msg)
					} else {
						a.Writev([][]byte{msg[:1], msg[1:20], msg[20:]})
					}
				}
			})
		}
		for a.writing.n.Load() < writers {
			time.Sleep(time.Millisecond)
		}
		go func() { wg.Wait(); a.Close() }()
		io.ReadFull(b, make([]byte, buffer))
		got := 0
		for msg := make([]byte, size); ; got++ {
			if _, err := io.ReadFull(b, msg); err != nil {
				break
			}
			if !bytes.Equal(msg, bytes.Repeat(msg[:1], size)) {
				t.Fatalf("the writes are mixed: %v", msg)
			}
		}
		if got != writers*each {
			t.Errorf("got %d messages, want %d", got, writers*each)
		}
	}
}

// The helpers of package vectored work with an end as it is.
func TestVectoredHelpers(t *testing.T) {
	x, y := Pipe()
	defer x.Close()
	r, w := vectored.ReaderOf(y), vectored.WriterOf(x)
	if r != vectored.Reader(y) || w != vectored.Writer(x) {
		t.Fatalf("%T, %T", r, w)
	}
	if n, err := vectored.WriteAll(w, []byte("hel"), []byte("lo")); n != 5 || err != nil {
		t.Errorf("WriteAll = %d, %v", n, err)
	}
	p, q := make([]byte, 1), make([]byte, 4)
	if n, err := vectored.ReadFull(r, p, q); n != 5 || err != nil || string(p)+string(q) != "hello" {
		t.Errorf("ReadFull = %d, %v: %s%s", n, err, p, q)
	}
}

// Slices that share memory can have more bytes together than an int counts. Writev
// refuses them.
func TestWritevTooLong(t *testing.T) {
	if strconv.IntSize > 32 {
		t.Skip("no slices have that many bytes")
	}
	a, _ := ends(t)
	b := make([]byte, 1<<24)
	if n, err := a.Writev(slices.Repeat([][]byte{b}, 1<<7+1)); n != 0 || err != errTooLong {
		t.Errorf("Writev = %d, %v", n, err)
	}
}
