package direct

import (
	"fmt"
	"io"
	"math"
	"os"
	"sync/atomic"
)

// An At reads or writes a file at any offset, for several goroutines at once. Whole
// blocks are direct. They go through a descriptor of its own, because the flag of the
// file's descriptor applies to the other calls in flight, and to every process that
// shares it.
//
// A page is never both direct and in the page cache: a buffered write that reads the
// rest of its page from the disk must not meet a direct write of that rest. So a block
// is at least a page.
type At struct {
	file  *os.File
	past  *os.File // the same file with the flag, or nil
	block int64
	end   int64 // of the file when it was opened

	moved atomic.Int64
	why   atomic.Pointer[error] // why it is not direct, or not any more
}

// OpenAt makes f direct if that is possible. mode is os.O_RDONLY or os.O_WRONLY, and
// from is the offset of the byte that is at r.Position in the stream. Each call that
// is not at the end must have r.Call bytes. The ring's memory must begin at a block.
func (r Ring) OpenAt(f *os.File, mode int, from int64) *At {
	a := &At{file: f}
	if err := a.open(mode, from, r); err != nil {
		a.giveUp(err)
	}
	return a
}

func (a *At) open(mode int, from int64, r Ring) error {
	d := File{file: a.file}
	if _, _, err := d.measure(); err != nil {
		return err
	}
	a.block = int64(max(d.block, os.Getpagesize()))
	switch {
	case from%a.block != 0:
		return fmt.Errorf("its offset %d is not a multiple of %d", from, a.block)
	case int64(r.Position)%a.block != 0:
		return fmt.Errorf("it begins at byte %d of the stream, which is not a multiple of %d", r.Position, a.block)
	case int64(r.Call)%a.block != 0:
		return fmt.Errorf("calls of %d bytes are not whole blocks of %d", r.Call, a.block)
	case int64(r.Capacity)%a.block != 0:
		return fmt.Errorf("a ring of %d bytes is not whole blocks of %d", r.Capacity, a.block)
	}
	past, err := again(a.file, mode)
	if isRefusal(err) {
		return refused(err)
	}
	if err != nil {
		return fmt.Errorf("not opened again: %w", err)
	}
	a.past = past
	a.end, err = past.Seek(0, io.SeekEnd)
	return err
}

// next returns how many of n bytes the next call moves, and which file. Bytes from
// end on are not direct.
func (a *At) next(n int, off, end int64) (int, *os.File) {
	if a.why.Load() != nil {
		return n, a.file
	}
	if within := off % a.block; within > 0 {
		return int(min(int64(n), a.block-within)), a.file
	}
	if whole := (min(off+int64(n), end) - off) / a.block * a.block; whole > 0 {
		return int(whole), a.past
	}
	return n, a.file
}

func (a *At) move(b []byte, off, end int64, call func(*os.File, []byte, int64) (int, error)) (n int, err error) {
	for n < len(b) && err == nil {
		size, f := a.next(len(b)-n, off+int64(n), end)
		var m int
		m, err = call(f, b[n:n+size], off+int64(n))
		n += m
		if f != a.past {
			continue
		}
		a.moved.Add(int64(m))
		if isRefusal(err) {
			a.giveUp(refused(err))
			err = nil
		}
	}
	return n, err
}

// ReadAt implements io.ReaderAt.
func (a *At) ReadAt(b []byte, off int64) (int, error) {
	return a.move(b, off, a.end, (*os.File).ReadAt)
}

// WriteAt implements io.WriterAt.
func (a *At) WriteAt(b []byte, off int64) (int, error) {
	return a.move(b, off, math.MaxInt64, (*os.File).WriteAt)
}

// Moved returns how many bytes were direct, and why others were not, or nil.
func (a *At) Moved() (direct int64, why error) {
	if err := a.why.Load(); err != nil {
		why = *err
	}
	return a.moved.Load(), why
}

func (a *At) giveUp(why error) { a.why.CompareAndSwap(nil, &why) }

// Close closes the descriptor that OpenAt has opened, and not the file that it got.
// Precondition: no call is in flight.
func (a *At) Close() error {
	if a.past == nil {
		return nil
	}
	return a.past.Close()
}
