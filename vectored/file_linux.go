package vectored

import (
	"io"
	"os"
	"sync"
	"syscall"

	"github.com/bytering/bytering/internal/kernel"
)

type positioned struct {
	name   string
	append bool
	file   *os.File
	conn   syscall.RawConn
	calls  sync.Pool // of *call
}

func (p *positioned) open(f *os.File) error {
	raw, _, err := inspect(f)
	if err != nil {
		return err
	}
	var flags uintptr
	var errno syscall.Errno
	var seek error
	err = raw.Control(func(fd uintptr) {
		flags, _, errno = syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_GETFL, 0)
		_, seek = syscall.Seek(int(fd), 0, io.SeekCurrent)
	})
	switch {
	case err != nil:
		return refuse(f, &closedError{err})
	case errno != 0:
		return refuse(f, errno)
	case seek != nil:
		return refuse(f, errNoOffsets)
	}
	p.name, p.file, p.conn = f.Name(), f, raw
	p.append = flags&syscall.O_APPEND != 0
	return nil
}

// source returns the value that BoundaryOf examines.
func (p *positioned) source() any { return p.file }

func (p *positioned) preadv(bufs [][]byte, off int64) (int, error) {
	n, err := p.run(kernel.Preadv, bufs, off)
	touchWrite(bufs, n)
	return n, err
}

func (p *positioned) pwritev(bufs [][]byte, off int64) (int, error) {
	n, err := p.run(kernel.Pwritev, bufs, off)
	touchRead(bufs, n)
	return n, err
}

// run takes a call of its own, because others may be running.
func (p *positioned) run(op kernel.Op, bufs [][]byte, off int64) (int, error) {
	c, _ := p.calls.Get().(*call)
	if c == nil {
		c = new(call)
		c.prepare(op, p.file, p.conn)
		c.direct = func(fd uintptr) { c.attempt(fd) }
	}
	defer p.calls.Put(c)
	c.op, c.off = op, off
	return c.run(bufs)
}
