package splice

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/bytering/bytering/internal/kernel"
	"github.com/bytering/bytering/internal/mutants"
	"github.com/bytering/bytering/internal/pattern"
)

// A line is a pair of pipes and their other ends.
type line struct {
	*Pair
	feed, src, dst, drain *os.File
}

func newLine(t *testing.T) *line {
	t.Helper()
	var l line
	var errs [2]error
	l.src, l.feed, errs[0] = os.Pipe()
	l.drain, l.dst, errs[1] = os.Pipe()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, f := range []*os.File{l.feed, l.src, l.dst, l.drain} {
			f.Close()
		}
	})
	if l.Pair = Open(l.dst, l.src); l.Pair == nil {
		t.Fatal("no pair")
	}
	return &l
}

// moves fails the test unless a Move of at most n bytes moves that many.
func (l *line) moves(t *testing.T, n, want int) {
	t.Helper()
	if got := l.Move(n); got != want {
		t.Errorf("Move(%d) = %d, want %d", n, got, want)
	}
}

// arrived fails the test unless the next bytes in the drain are those of the stream
// from the offset on.
func (l *line) arrived(t *testing.T, at, n int) {
	t.Helper()
	got := make([]byte, n)
	if _, err := io.ReadFull(l.drain, got); err != nil || !bytes.Equal(got, pattern.Bytes(uint64(at), n)) {
		t.Errorf("the %d bytes from byte %d on differ, or %v", n, at, err)
	}
}

// fake replaces the system call until the test ends.
func fake(t *testing.T, f func(from, to uintptr, n int) (int, syscall.Errno)) {
	old := kernel.Splice
	kernel.Splice = f
	t.Cleanup(func() { kernel.Splice = old })
}

func TestOpen(t *testing.T) {
	l := newLine(t)
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	conn, peer := net.Pipe()
	defer conn.Close()
	defer peer.Close()
	type wrapped struct{ *os.File }
	for name, ends := range map[string]struct {
		dst io.Writer
		src io.Reader
	}{
		"a file as source":            {l.dst, file},
		"a file as sink":              {file, l.src},
		"no descriptor as source":     {l.dst, conn},
		"no descriptor as sink":       {conn, l.src},
		"methods of its own":          {l.dst, wrapped{l.src}},
		"methods of its own, as sink": {wrapped{l.dst}, l.src},
		"nothing":                     {nil, nil},
		"no file":                     {(*os.File)(nil), (*os.File)(nil)},
	} {
		if Open(ends.dst, ends.src) != nil {
			t.Errorf("%s: there is a pair", name)
		}
	}
	l.dst.Fd() // puts it into blocking mode
	if Open(l.dst, l.src) == nil {
		t.Error("with a sink in blocking mode there is no pair")
	}
	l.src.Fd()
	if Open(l.dst, l.src) != nil {
		t.Error("a source in blocking mode has a pair; nothing could interrupt a Move")
	}
}

func TestMove(t *testing.T) {
	l := newLine(t)
	l.feed.Write(pattern.Bytes(0, 10_000))
	l.moves(t, 3000, 3000)
	l.moves(t, 1<<20, 7000)
	l.arrived(t, 0, 10_000)
	go func() {
		time.Sleep(2 * Patience) // while the Move waits
		l.feed.Write(pattern.Bytes(10_000, 1))
	}()
	l.moves(t, 1<<20, 1)
	l.arrived(t, 10_000, 1)
	l.feed.Close()
	l.moves(t, 1<<20, 0)
	if n, err := l.src.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
}

// TestInterrupted checks that a deadline ends a Move that waits for input, and that
// a later Move goes on.
func TestInterrupted(t *testing.T) {
	l := newLine(t)
	time.AfterFunc(Patience, func() { l.src.SetReadDeadline(time.Unix(1, 0)) })
	l.moves(t, 10, 0)
	l.src.SetReadDeadline(time.Time{})
	l.feed.Write(pattern.Bytes(0, 10))
	l.moves(t, 10, 10)
}

// TestSinkInterrupted checks that a Move obeys the deadline of the sink.
func TestSinkInterrupted(t *testing.T) {
	l := newLine(t)
	l.feed.Write(pattern.Bytes(0, 10))
	l.dst.SetWriteDeadline(time.Unix(1, 0))
	l.moves(t, 10, 0)
	l.dst.SetWriteDeadline(time.Time{})
	l.moves(t, 10, 10)
}

// fill fills the pipe to the drain.
func (l *line) fill(t *testing.T) (size int) {
	t.Helper()
	l.feed.Write(pattern.Bytes(0, 1))
	l.moves(t, 1, 1)
	for size = 1; ; size += 4096 {
		l.feed.Write(pattern.Bytes(uint64(size), 4096))
		if l.Move(4096) == 0 {
			return size
		}
	}
}

// TestFull checks that a Move into a full pipe ends after the patience, and goes on
// once there is room.
func TestFull(t *testing.T) {
	l := newLine(t)
	size := l.fill(t)
	begin := time.Now()
	l.moves(t, 1<<20, 0)
	if d := time.Since(begin); d < l.patience {
		t.Errorf("Move has waited for %v", d)
	}
	l.arrived(t, 0, size)
	l.moves(t, 1<<20, 4096)
	l.arrived(t, size, 4096)
}

// TestPatienceIsForAll checks that a reader that takes a little from time to time
// can't keep the source's bytes waiting for longer than the patience.
func TestPatienceIsForAll(t *testing.T) {
	l := newLine(t)
	l.fill(t)
	l.patience = Patience
	fed, read := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(fed)
		for err := error(nil); err == nil; _, err = l.feed.Write(make([]byte, 4096)) {
		}
	}()
	go func() {
		defer close(read)
		for b := make([]byte, 4096); ; time.Sleep(Patience / 4) {
			if _, err := l.drain.Read(b); err != nil {
				return
			}
		}
	}()
	for l.Move(4096) > 0 {
	}
	l.dst.Close()
	l.src.Close()
	<-fed
	<-read
}

// TestQuick checks that a sink that takes much has the patience again, and one that
// takes less does not.
func TestQuick(t *testing.T) {
	l := newLine(t)
	l.fill(t)
	l.patience = time.Minute
	l.full, l.since = time.Now().Add(-time.Hour), l.most-1
	l.moves(t, 4096, 0)
	l.full, l.since = time.Now().Add(-time.Hour), l.most
	go func() {
		time.Sleep(Patience)
		l.drain.Read(make([]byte, 1<<20))
	}()
	l.moves(t, 4096, 4096)
}

func TestPatience(t *testing.T) {
	l := newLine(t)
	for _, size := range []int{64 << 10, 1 << 20} {
		var got int
		if err := kernel.Control(l.src, func(fd uintptr) error {
			got, _ = kernel.Fcntl(fd, kernel.SetPipeSize, size)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if got != size {
			t.Skipf("the user's limit allows a pipe of %d bytes instead of %d", got, size)
		}
		l.Pair = Open(l.dst, l.src)
		if want := Patience * time.Duration(size) >> 20; l.patience != want || l.most != 2*int(want) {
			t.Errorf("pipe of %d bytes: %v for %d bytes", size, l.patience, l.most)
		}
	}
}

// TestInputIsNotMissed checks what happens if the sink's reader makes room just
// after the system has said that there is none: no wait for input that is there.
func TestInputIsNotMissed(t *testing.T) {
	l := newLine(t)
	calls := 0
	fake(t, func(from, to uintptr, n int) (int, syscall.Errno) {
		if calls++; calls == 1 {
			return 0, syscall.EAGAIN
		}
		return 5, 0
	})
	l.feed.Write(pattern.Bytes(0, 5))
	l.src.SetReadDeadline(time.Now().Add(time.Minute))
	l.moves(t, 5, 5)
	if calls != 2 {
		t.Errorf("%d system calls, want 2", calls)
	}
}

func TestErrors(t *testing.T) {
	for _, tc := range []struct {
		errno syscall.Errno
		final bool
	}{
		{syscall.EINTR, false}, {syscall.EINVAL, true}, {syscall.ENOSYS, true}, {syscall.EPERM, true}, {syscall.EPIPE, true},
	} {
		t.Run(tc.errno.Error(), func(t *testing.T) {
			l := newLine(t)
			calls, move := 0, kernel.Splice
			fake(t, func(from, to uintptr, n int) (int, syscall.Errno) {
				if calls++; calls == 1 {
					return 0, tc.errno
				}
				return move(from, to, n)
			})
			l.feed.Write(pattern.Bytes(0, 5))
			if !tc.final {
				l.moves(t, 5, 5)
				return
			}
			l.moves(t, 5, -1)
			if calls != 1 {
				t.Errorf("%d system calls, want 1", calls)
			}
		})
	}
}

// TestClosed checks that a closed end is the business of the next read or write.
func TestClosed(t *testing.T) {
	l := newLine(t)
	l.feed.Write(pattern.Bytes(0, 5))
	l.dst.Close()
	l.moves(t, 5, 0)
	l = newLine(t)
	l.feed.Write(pattern.Bytes(0, 5))
	l.src.Close()
	l.moves(t, 5, 0)
	l = newLine(t)
	l.feed.Write(pattern.Bytes(0, 5))
	l.drain.Close()
	l.moves(t, 5, -1) // EPIPE
}

// TestMutants plants each defect of the list.
func TestMutants(t *testing.T) {
	mutants.Skip(t)
	mutants.Run(t, mutants.Read(t, "testdata/mutants.txt"), mutants.Tests, "-failfast", "-timeout=20s", ".")
}
