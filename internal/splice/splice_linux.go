package splice

import (
	"io"
	"os"
	"syscall"
	"time"

	"github.com/bytering/bytering/internal/kernel"
)

// A Pair is a pipe to read and a pipe to write.
type Pair struct {
	from, to syscall.RawConn
	patience time.Duration
	most     int // bytes of a sink that is slow in that time

	onFrom func(fd uintptr) bool // attempt and move, as values
	onTo   func(fd uintptr) bool

	// Of the running Move.
	limit  int
	source uintptr
	n      int
	errno  syscall.Errno
	empty  bool

	full  time.Time // since when the pipe is full whenever there is input
	since int       // bytes that were moved since then
}

// Open returns the pair of two pipes, or nil if dst and src are something else or src
// is in blocking mode.
func Open(dst io.Writer, src io.Reader) *Pair {
	p := &Pair{from: pipe(src, syscall.O_NONBLOCK), to: pipe(dst, 0)}
	if p.from == nil || p.to == nil {
		return nil
	}
	p.onFrom, p.onTo = p.attempt, p.move
	p.from.Control(func(fd uintptr) {
		size, _ := kernel.Fcntl(fd, kernel.GetPipeSize, 0)
		p.patience = Patience * time.Duration(min(size, patient)) / patient
	})
	p.most = int(p.patience) * quick
	return p
}

// pipe returns the descriptor of v if it is a pipe with that flag. It is not if
// v has methods of its own.
func pipe(v any, flag int) (found syscall.RawConn) {
	f, ok := v.(*os.File)
	if !ok {
		return nil
	}
	kernel.Control(f, func(fd uintptr) error {
		var st syscall.Stat_t
		flags, errno := kernel.Fcntl(fd, syscall.F_GETFL, 0)
		if errno == 0 && flags&flag == flag && syscall.Fstat(int(fd), &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFIFO {
			found, _ = f.SyscallConn()
		}
		return nil
	})
	return found
}

// Move moves up to n bytes. It waits for input as a Read of src does, and for room in
// dst unless the sink is slow. If it returns 0 the next bytes are to be read and
// written, which also finds out what is wrong with an end. It returns -1 if the system
// does not splice these pipes.
func (p *Pair) Move(n int) int {
	p.limit, p.n, p.errno = n, 0, 0
	if p.from.Read(p.onFrom) != nil {
		return 0
	}
	p.since += p.n
	if p.n == 0 {
		p.full = time.Time{}
	}
	if p.errno != 0 && p.errno != syscall.EAGAIN {
		return -1
	}
	return p.n
}

// attempt moves what there is. If there is nothing, it returns false, and is called
// again when there is. A deadline of dst ends it too.
func (p *Pair) attempt(fd uintptr) bool {
	p.source, p.empty = fd, false
	p.to.Write(p.onTo)
	return !p.empty
}

// move returns true: it does not wait for room in the way that RawConn does, which has
// no limit.
func (p *Pair) move(to uintptr) bool {
	for {
		switch p.n, p.errno = kernel.Splice(p.source, to, p.limit); p.errno {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
		default:
			return true
		}
		// After the system call: what came before it has been taken, and what came
		// since then wakes the Read.
		if !kernel.Readable(p.source) {
			p.empty, p.full = true, time.Time{}
			return true
		}
		now := time.Now()
		if p.full.IsZero() || p.since >= p.most {
			p.full, p.since = now, 0
		}
		left := p.patience - now.Sub(p.full)
		if left <= 0 || !kernel.Writable(to, left) {
			return true
		}
	}
}
