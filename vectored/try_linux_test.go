package vectored

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/bytering/bytering/internal/pattern"
)

// TestTryWritev checks that a write without waiting takes what fits, and nothing when
// nothing does.
func TestTryWritev(t *testing.T) {
	onLinks(t, func(t *testing.T, l *link) {
		p := PollWriterOf(l.w)
		if p == nil {
			t.Fatal("PollWriterOf returns nil")
		}
		l.dst.SetDeadline(time.Now().Add(10 * time.Second)) // if it waits
		n, err := p.TryWritev([][]byte{{}, nil})
		want(t, "TryWritev of nothing", n, err, 0, nil)

		all := pattern.Bytes(0, 64<<20)
		done := 0
		fill := func(size int) {
			for n := 1; n > 0; done += n {
				var err error
				if n, err = p.TryWritev([][]byte{all[done : done+size/2], all[done+size/2 : done+size]}); err != nil {
					t.Fatal(err)
				}
			}
		}
		fill(1 << 20)

		// The same value still waits in Writev. A connection may have room again for a
		// while.
		waits := watch(t, l.dst).waits
		wrote := make(chan result, 1)
		for waiting := false; !waiting; {
			fill(1)
			for len(waits) > 0 {
				<-waits
			}
			go func() {
				n, err := p.Writev([][]byte{all[done : done+1]})
				wrote <- result{n, err}
			}()
			select {
			case waiting = <-waits:
			case r := <-wrote:
				want(t, "Writev", r.n, r.err, 1, nil)
				if done++; r.err != nil {
					return
				}
			}
		}
		got := make([]byte, done)
		if _, err := ReadFull(l.r, got); err != nil {
			t.Fatal(err)
		}
		r := <-wrote
		want(t, "Writev", r.n, r.err, 1, nil)
		if !bytes.Equal(got, all[:done]) {
			t.Error("other bytes arrived")
		}
	})
}

// TestTryWritevFails checks the errors, which are those of Writev.
func TestTryWritevFails(t *testing.T) {
	onLinks(t, func(t *testing.T, l *link) {
		p := PollWriterOf(l.w)
		l.dst.SetDeadline(time.Unix(1, 0))
		n, err := p.TryWritev([][]byte{text})
		if n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after the deadline: %d, %v", n, err)
		}
		l.dst.SetDeadline(time.Time{})
		n, err = p.TryWritev([][]byte{text})
		want(t, "TryWritev", n, err, len(text), nil)
		l.dst.Close()
		n, err = p.TryWritev([][]byte{text})
		if n != 0 || !errors.Is(err, os.ErrClosed) {
			t.Errorf("closed: %d, %v", n, err)
		}
	})
}

// TestPollWriterOf checks that there is no PollWriter for a descriptor that may block
// in the system.
func TestPollWriterOf(t *testing.T) {
	pr, pw, err := os.Pipe()
	must(t, pw, err)
	defer pr.Close()
	defer pw.Close()
	if PollWriterOf(must(t, WriterOf(pw), nil)) == nil {
		t.Error("a pipe of package os does not poll")
	}
	pw.Fd() // from here on the pipe is in blocking mode
	for name, w := range map[string]Writer{"nil": nil, "a blocking pipe": WriterOf(pw), "another Writer": plainWriter{}} {
		if PollWriterOf(w) != nil {
			t.Errorf("%s polls", name)
		}
	}
	own := ownTrier{}
	if PollWriterOf(own) != PollWriter(own) {
		t.Error("a user's PollWriter is not found")
	}
}

type plainWriter struct{}

func (plainWriter) Write(b []byte) (int, error)       { return len(b), nil }
func (plainWriter) Writev(bufs [][]byte) (int, error) { return 0, nil }

type ownTrier struct{ plainWriter }

func (ownTrier) TryWritev([][]byte) (int, error) { return 0, nil }
