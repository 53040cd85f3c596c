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
		for {
			n, err := p.TryWritev([][]byte{all[done : done+1000], all[done+1000 : done+1<<20]})
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				break
			}
			done += n
		}
		n, err = p.TryWritev([][]byte{all[done : done+1]})
		want(t, "TryWritev of a byte into a full link", n, err, 0, nil)

		// The same value still waits in Writev.
		wrote := soon(t, "Writev", func() (int, error) { return p.Writev([][]byte{all[done : done+1]}) })
		got := make([]byte, done)
		if _, err := ReadFull(l.r, got); err != nil {
			t.Fatal(err)
		}
		n, err = wrote()
		want(t, "Writev", n, err, 1, nil)
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
