//go:build !interleave

package memconn

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"testing/iotest"
	"time"

	"github.com/bytering/bytering/internal/pattern"
)

// ends returns a pair that is closed when the test ends.
func ends(t testing.TB, opts ...Option) (a, b *Conn) {
	t.Helper()
	a, b = Pipe(opts...)
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

// TestBytesArrive combines every size of write with every size of read, over rings
// in which they wrap everywhere.
func TestBytesArrive(t *testing.T) {
	for _, buffer := range []int{1, 2, 7, 8, 9, 64, 1000, 64 << 10} {
		for _, w := range []int{1, 3, 8, 100, 5000} {
			for _, r := range []int{1, 2, 7, 64, 5000} {
				want := pattern.Bytes(0, max(500, min(20_000, 300*min(buffer, w, r))))
				a, b := ends(t, Buffer(buffer))
				sent := make(chan error, 1)
				go func() {
					rest := want
					for len(rest) > 0 {
						n, err := a.Write(rest[:min(w, len(rest))])
						if err != nil || n != min(w, len(rest)) {
							sent <- fmt.Errorf("Write = %d, %v", n, err)
							return
						}
						rest = rest[n:]
					}
					sent <- a.CloseWrite()
				}()
				var got []byte
				buf := make([]byte, r)
				for {
					n, err := b.Read(buf)
					got = append(got, buf[:n]...)
					if err == io.EOF {
						break
					}
					if err != nil || n < 1 {
						t.Fatalf("Read = %d, %v", n, err)
					}
				}
				if err := <-sent; err != nil || !bytes.Equal(got, want) {
					t.Errorf("buffer %d, writes of %d, reads of %d: got %d bytes, want %d, or the bytes differ; %v", buffer, w, r, len(got), len(want), err)
				}
			}
		}
	}
}

func TestIotest(t *testing.T) {
	want := pattern.Bytes(0, 3000)
	a, b := ends(t, Buffer(100))
	go func() { io.Copy(a, iotest.HalfReader(bytes.NewReader(want))); a.CloseWrite() }()
	if err := iotest.TestReader(b, want); err != nil {
		t.Error(err)
	}
}

// A connection holds exactly as many bytes as Buffer says, wherever the ring stands
// and however its bytes are read. The space of small reads is available to a writer
// that needs it.
func TestBufferIsExact(t *testing.T) {
	for _, size := range []int{1, 7, 64, 1000} {
		a, b := ends(t, Buffer(size))
		fits := func(n int) {
			t.Helper()
			a.SetWriteDeadline(time.Now().Add(time.Minute))
			if m, err := a.Write(make([]byte, n)); m != n || err != nil {
				t.Fatalf("buffer %d: Write of %d = %d, %v", size, n, m, err)
			}
			a.SetWriteDeadline(time.Now())
			if m, err := a.Write([]byte{0}); m != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("buffer %d: Write to a full connection = %d, %v", size, m, err)
			}
			a.SetWriteDeadline(time.Time{})
		}
		fits(size)
		for i := range 3 * size {
			n := 1 + i%min(size, 20)
			if m, err := io.ReadFull(b, make([]byte, n)); m != n || err != nil {
				t.Fatalf("Read = %d, %v", m, err)
			}
			fits(n)
		}
	}
}

// TestErrors checks the error of every call after every kind of end.
func TestErrors(t *testing.T) {
	late := func(c *Conn) { c.SetDeadline(time.Now().Add(-time.Second)) }
	for _, tc := range []struct {
		name        string
		do          func(a, b *Conn)
		read, write error // of end a
		raw         bool  // whether read and write are not wrapped in a net.OpError
	}{
		{"own Close", func(a, b *Conn) { a.Close() }, net.ErrClosed, net.ErrClosed, false},
		{"own Close, late", func(a, b *Conn) { late(a); a.Close() }, net.ErrClosed, net.ErrClosed, false},
		{"both halves and Close", func(a, b *Conn) { a.CloseWrite(); a.CloseRead(); a.Close() }, net.ErrClosed, net.ErrClosed, false},
		{"peer's Close", func(a, b *Conn) { b.Close() }, io.EOF, io.ErrClosedPipe, true},
		{"peer's Close, late", func(a, b *Conn) { b.Close(); late(a) }, io.EOF, io.ErrClosedPipe, true},
		{"peer's Close and own", func(a, b *Conn) { b.Close(); a.Close() }, net.ErrClosed, net.ErrClosed, false},
		{"both halves", func(a, b *Conn) { a.CloseWrite(); a.CloseRead() }, io.EOF, io.ErrClosedPipe, true},
		{"peer's both halves", func(a, b *Conn) { b.CloseWrite(); b.CloseRead() }, io.EOF, io.ErrClosedPipe, true},
		{"deadline", func(a, b *Conn) { late(a) }, os.ErrDeadlineExceeded, os.ErrDeadlineExceeded, false},
		{"deadline, after some bytes", func(a, b *Conn) { some(b, a); late(a) }, os.ErrDeadlineExceeded, os.ErrDeadlineExceeded, false},
		{"own Close, after some bytes", func(a, b *Conn) { some(b, a); a.Close() }, net.ErrClosed, net.ErrClosed, false},
		{"both halves, after some bytes", func(a, b *Conn) { some(b, a); a.CloseWrite(); a.CloseRead() }, io.EOF, io.ErrClosedPipe, true},
		{"both halves and no deadline", func(a, b *Conn) {
			some(b, a)
			some(a, b)
			a.CloseRead()
			b.CloseRead()
			a.SetDeadline(time.Time{})
		}, io.EOF, io.ErrClosedPipe, true},
		{"deadline, bytes there", func(a, b *Conn) { b.Write([]byte("x")); late(a) }, os.ErrDeadlineExceeded, os.ErrDeadlineExceeded, false},
	} {
		for call, want := range map[string]error{"Read": tc.read, "Readv": tc.read, "Read of nothing": tc.read,
			"Write": tc.write, "Writev": tc.write, "Write of nothing": tc.write} {
			a, b := ends(t)
			tc.do(a, b)
			var n int
			var err error
			switch call {
			case "Read":
				n, err = a.Read(make([]byte, 3))
			case "Readv":
				n, err = a.Readv([][]byte{nil, make([]byte, 3)})
			case "Read of nothing":
				n, err = a.Read(nil)
			case "Write":
				n, err = a.Write([]byte("abc"))
			case "Writev":
				n, err = a.Writev([][]byte{nil, []byte("abc")})
			case "Write of nothing":
				n, err = a.Write(nil)
			}
			if n != 0 || !errors.Is(err, want) {
				t.Errorf("%s: %s = %d, %v, want %v", tc.name, call, n, err, want)
			}
			var op *net.OpError
			if raw := !errors.As(err, &op); raw != tc.raw {
				t.Errorf("%s: %s = %#v", tc.name, call, err)
			} else if !raw && (op.Net != "mem" || op.Source != a.LocalAddr() || op.Addr != a.RemoteAddr()) {
				t.Errorf("%s: %s = %#v", tc.name, call, op)
			}
			var ne net.Error
			if timeout := errors.As(err, &ne) && ne.Timeout(); timeout != (want == os.ErrDeadlineExceeded) {
				t.Errorf("%s: %s: Timeout is %t", tc.name, call, timeout)
			}
		}
	}
}

func TestSettersAfterClose(t *testing.T) {
	a, b := ends(t)
	a.CloseWrite()
	a.CloseRead()
	if err := a.SetDeadline(time.Now()); err != nil { // succeeds, as for a socket
		t.Errorf("SetDeadline after CloseWrite and CloseRead: %v", err)
	}
	if err := errors.Join(a.CloseWrite(), a.CloseRead()); err != nil {
		t.Errorf("closing both halves twice: %v", err)
	}
	for range 2 {
		if err := a.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	for i, err := range []error{a.SetDeadline(time.Time{}), a.SetReadDeadline(time.Time{}), a.SetWriteDeadline(time.Time{}),
		a.CloseWrite(), a.CloseRead()} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if err := b.SetDeadline(time.Now()); err != nil {
		t.Errorf("SetDeadline after the peer's Close: %v", err)
	}
}

// Bytes that were written before a close are delivered to small and large reads,
// also if one of them has read some before.
func TestCloseDelivers(t *testing.T) {
	text := string(pattern.Bytes(0, 50_000))
	for name, end := range map[string]func(*Conn) error{"Close": (*Conn).Close, "CloseWrite": (*Conn).CloseWrite} {
		for _, size := range []int{1, 10, 40_000} {
			a, b := ends(t)
			io.WriteString(a, text)
			got := make([]byte, 3)
			io.ReadFull(b, got)
			end(a)
			rest, err := io.ReadAll(io.MultiReader(onlyReader{b, size}))
			if string(got)+string(rest) != text || err != nil {
				t.Errorf("%s: got %d bytes, %v", name, 3+len(rest), err)
			}
		}
	}
}

// An onlyReader reads at most n bytes a call.
type onlyReader struct {
	r io.Reader
	n int
}

func (r onlyReader) Read(b []byte) (int, error) { return r.r.Read(b[:min(len(b), r.n)]) }

// One direction ends and the other goes on.
func TestHalfClose(t *testing.T) {
	a, b := ends(t)
	io.WriteString(a, "question")
	a.CloseWrite()
	if q, err := io.ReadAll(b); string(q) != "question" || err != nil {
		t.Errorf("%q, %v", q, err)
	}
	if _, err := io.WriteString(b, "answer"); err != nil {
		t.Error(err)
	}
	b.Close()
	if q, err := io.ReadAll(a); string(q) != "answer" || err != nil {
		t.Errorf("%q, %v", q, err)
	}

	a, b = ends(t)
	io.WriteString(b, "never read")
	a.CloseRead()
	if _, err := a.Write([]byte("x")); err != nil {
		t.Errorf("Write after CloseRead: %v", err)
	}
}

// some makes some small writes and small reads, and leaves bytes to be read.
func some(from, to *Conn) {
	for range 20 {
		from.Write([]byte("12345678"))
	}
	for range 3 {
		to.Read(make([]byte, 2))
	}
}

// TestMixedSizes mixes small and large calls.
func TestMixedSizes(t *testing.T) {
	for _, buffer := range []int{10, 100, 1000} {
		a, b := ends(t, Buffer(buffer))
		want := pattern.Bytes(0, 100*buffer)
		go func() {
			rng := rand.New(rand.NewPCG(1, 1))
			for rest := want; len(rest) > 0; {
				n := min(len(rest), 1+rng.IntN(1+rng.IntN(buffer)))
				a.Write(rest[:n])
				rest = rest[n:]
			}
			a.Close()
		}()
		var got bytes.Buffer
		rng := rand.New(rand.NewPCG(2, 2))
		for err := error(nil); err != io.EOF; {
			p := make([]byte, 1+rng.IntN(1+rng.IntN(buffer)))
			var n int
			if n, err = b.Read(p); err != nil && err != io.EOF {
				t.Fatal(err)
			}
			got.Write(p[:n])
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("buffer %d: got %d bytes, want %d, or the bytes differ", buffer, got.Len(), len(want))
		}
	}
}

// caught returns what f panics with.
func caught(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

func TestAllocs(t *testing.T) {
	a, b := ends(t, Buffer(1000))
	future := time.Now().Add(time.Hour)
	for _, tc := range []struct {
		name string
		n    int
		set  time.Time
	}{
		{"small", 8, time.Time{}},
		{"large", 900, time.Time{}},
		{"small, under a deadline", 8, future},
		{"large, under a deadline", 900, future},
	} {
		out, in := make([]byte, tc.n), make([]byte, tc.n)
		if got := testing.AllocsPerRun(500, func() {
			a.SetDeadline(tc.set)
			b.SetDeadline(tc.set)
			a.Write(out)
			io.ReadFull(b, in)
		}); got != 0 {
			t.Errorf("%s: %v allocations", tc.name, got)
		}
	}

	// Both directions park.
	go io.Copy(b, b)
	out, in := make([]byte, 10), make([]byte, 10)
	if got := testing.AllocsPerRun(500, func() {
		a.Write(out)
		io.ReadFull(a, in)
	}); got != 0 {
		t.Errorf("an echo allocates %v times", got)
	}
}
