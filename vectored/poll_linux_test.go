package vectored

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestReadvFunc checks that memory is asked for at each attempt. Memory that was
// offered to an attempt that would have blocked is not used.
func TestReadvFunc(t *testing.T) {
	onLinks(t, func(t *testing.T, l *link) {
		p := PollReaderOf(l.r)
		if p == nil {
			t.Fatal("PollReaderOf returns nil")
		}
		first, second := make([]byte, 5), make([]byte, 9)
		offers, blocks := 0, 0
		waits := make(chan bool, 1)
		read := soon(t, "ReadvFunc", func() (int, error) {
			return p.ReadvFunc(func() [][]byte {
				if offers++; offers == 1 {
					return [][]byte{first}
				}
				return [][]byte{second[:2], nil, second[2:]}
			}, func() {
				blocks++
				waits <- true
			})
		})
		<-waits
		n, err := l.w.Write([]byte("seven b"))
		want(t, "Write", n, err, 7, nil)
		n, err = read()
		want(t, "ReadvFunc", n, err, 7, nil)
		if offers != 2 || blocks != 1 || string(first) != "\x00\x00\x00\x00\x00" || string(second) != "seven b\x00\x00" {
			t.Errorf("%d offers, %d times blocked, read %q and %q", offers, blocks, first, second)
		}

		// With bytes there, nothing blocks.
		n, err = l.w.Write([]byte("x"))
		want(t, "Write", n, err, 1, nil)
		n, err = p.ReadvFunc(func() [][]byte { return [][]byte{first} }, func() { t.Error("blocked") })
		want(t, "ReadvFunc", n, err, 1, nil)

		// Without room nothing is read, even at the end of the stream.
		for range 2 {
			n, err = p.ReadvFunc(func() [][]byte { return [][]byte{{}, nil} }, func() { t.Error("blocked") })
			want(t, "ReadvFunc without room", n, err, 0, nil)
			l.dst.Close()
		}
		n, err = p.ReadvFunc(func() [][]byte { return [][]byte{first} }, func() { t.Error("blocked") })
		want(t, "ReadvFunc at the end", n, err, 0, io.EOF)
	})
}

// TestReadvFuncInterrupted checks that a deadline or Close ends the wait, and that
// the reader can be used after a deadline.
func TestReadvFuncInterrupted(t *testing.T) {
	onLinks(t, func(t *testing.T, l *link) {
		p := PollReaderOf(l.r)
		b := make([]byte, 3)
		offer := func() [][]byte { return [][]byte{b} }
		n, err := p.ReadvFunc(offer, func() { l.src.SetDeadline(time.Unix(1, 0)) })
		if n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("at a deadline: %d, %v", n, err)
		}
		l.src.SetDeadline(time.Time{})
		l.w.Write([]byte("abc"))
		n, err = p.ReadvFunc(offer, func() { t.Error("blocked") })
		want(t, "ReadvFunc", n, err, 3, nil)

		waits := make(chan bool, 1)
		read := soon(t, "ReadvFunc", func() (int, error) {
			return p.ReadvFunc(offer, func() { waits <- true })
		})
		<-waits
		l.src.Close()
		if n, err := read(); n != 0 || !errors.Is(err, os.ErrClosed) {
			t.Errorf("closed: %d, %v", n, err)
		}
	})
}

// TestReadvFuncPanics checks that the descriptor can be used after a panic.
func TestReadvFuncPanics(t *testing.T) {
	onLinks(t, func(t *testing.T, l *link) {
		p := PollReaderOf(l.r)
		func() {
			defer func() { recover() }()
			p.ReadvFunc(func() [][]byte { panic("test") }, func() {})
		}()
		l.w.Write([]byte("abc"))
		n, err := l.r.Read(make([]byte, 9))
		want(t, "Read", n, err, 3, nil)
	})
}

// TestPollReaderOf checks that there is no PollReader for a descriptor that may
// block in the system.
func TestPollReaderOf(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	must(t, file, err)
	defer file.Close()
	pr, pw, err := os.Pipe()
	must(t, pr, err)
	defer pw.Close()
	if PollReaderOf(must(t, ReaderOf(pr), nil)) == nil {
		t.Error("a pipe of package os does not poll")
	}
	pr.Fd() // from here on the pipe is in blocking mode
	for name, r := range map[string]Reader{"nil": nil, "a file": ReaderOf(file), "a blocking pipe": ReaderOf(pr), "another Reader": plainReader{}} {
		if PollReaderOf(r) != nil {
			t.Errorf("%s polls", name)
		}
	}
	pr.Close()
	own := ownPoller{}
	if PollReaderOf(own) != PollReader(own) {
		t.Error("a user's PollReader is not found")
	}
}

type plainReader struct{}

func (plainReader) Read([]byte) (int, error)    { return 0, io.EOF }
func (plainReader) Readv([][]byte) (int, error) { return 0, io.EOF }

type ownPoller struct{ plainReader }

func (ownPoller) ReadvFunc(func() [][]byte, func()) (int, error) { return 0, io.EOF }
