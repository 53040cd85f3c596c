// Package direct decides which reads and writes of a file go past the page
// cache. Such a call wants its offset, its length and the address of its memory
// in multiples of the file's block; between them a file is read and written
// through the cache, and the descriptor's flag says which it is.
package direct

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/bytering/bytering/internal/memory"
)

// usualBlock is the block where the system doesn't tell, as for tmpfs and before
// Linux 6.1: a multiple of what nearly all devices and file systems want. Where
// it is not, the first call is refused.
const usualBlock = 4096

var (
	errKind = errors.New("neither a regular file nor a block device")
	errNone = errors.New("no direct I/O on it, says its file system")
)

// A File is one that is read, or written, from its own offset on. It belongs to
// one goroutine. A nil one is not active.
type File struct {
	file  *os.File
	block int   // a power of two
	at    int64 // where the next byte is read or written
	found bool  // what the flag was
	on    bool  // what it is
	why   error // why it is given up
}

// Open makes f, a file's, direct from its offset on, or from its end on if it is
// opened for appending. Where it can't be so it is given up at once.
func Open(f *os.File) *File {
	d := &File{file: f}
	if err := d.open(); err != nil {
		d.GiveUp(err)
	}
	return d
}

func (d *File) open() error {
	info, err := d.file.Stat()
	if err != nil {
		return err
	}
	if kind := info.Mode().Type(); kind != 0 && kind != fs.ModeDevice {
		return errKind
	}
	if d.at, err = d.file.Seek(0, io.SeekCurrent); err != nil {
		return err
	}
	appends, err := d.look()
	switch {
	case err != nil:
		return err
	case d.block == 0:
		return errNone
	case d.block&(d.block-1) != 0:
		return fmt.Errorf("its blocks of %d bytes are no power of two", d.block)
	case appends:
		d.at = info.Size()
	}
	if err := d.set(true); err != nil {
		return refused(err)
	}
	return nil
}

func refused(err error) error { return fmt.Errorf("refused by its file system: %w", err) }

// Active tells whether calls are still to be cut into blocks.
func (d *File) Active() bool { return d != nil && d.why == nil }

// Why returns why it was given up, or nil.
func (d *File) Why() error { return d.why }

// Block returns the size of the blocks.
func (d *File) Block() int { return d.block }

// Offset returns where the next byte is read or written.
func (d *File) Offset() int64 { return d.at }

// Rest returns how many bytes there are to the next block, and at the beginning
// of one that it has.
func (d *File) Rest() int { return d.block - int(d.at&int64(d.block-1)) }

// Aligned tells whether the memory of a ring, which has b at that position,
// begins at a block.
func (d *File) Aligned(b []byte, position uint64) bool {
	return memory.Misalignment(b, d.block) == int(position&uint64(d.block-1))
}

// Next returns how many of so many bytes the next call is to have, and sets the
// flag for it: whole blocks where they are direct, the way to the next block
// where the offset is within one, and what there is if that is less.
func (d *File) Next(room int) (int, error) {
	n, on := room&^(d.block-1), true
	if rest := d.Rest(); rest < d.block {
		n, on = min(room, rest), false
	} else if n == 0 {
		n, on = room, false
	}
	if on == d.on {
		return n, nil
	}
	if err := d.set(on); err != nil && !on {
		return 0, err
	} else if err != nil {
		d.GiveUp(refused(err))
		return room, nil
	}
	return n, nil
}

// Moved counts n bytes of a call, and returns how many of them were direct.
func (d *File) Moved(n int) (direct int) {
	d.at += int64(n)
	if d.on {
		return n
	}
	return 0
}

// Refused tells whether a call may have failed for being direct: some file systems
// say no earlier that they refuse it, and who shares the file may have set the
// flag, or moved the offset. Then the file is given up, and the call is to be made
// again, once.
func (d *File) Refused(err error) bool {
	if d == nil || d.block == 0 || !isRefusal(err) {
		return false
	}
	stuck := d.set(false)
	if d.Active() {
		d.GiveUp(refused(err))
	}
	return stuck == nil
}

// GiveUp has the file go on through the cache from now on.
func (d *File) GiveUp(why error) {
	if d.on {
		if err := d.set(false); err != nil {
			why = errors.Join(why, err)
		}
	}
	d.why = why
}

// Close gives the flag back the value that it had.
func (d *File) Close() error {
	if d == nil || d.on == d.found {
		return nil
	}
	return d.set(d.found)
}
