// Package direct decides which reads and writes of files bypass the page cache.
// The offset, the length and the memory address of such a call must be multiples
// of the file's block. Other calls go through the cache. A flag of the
// descriptor selects one or the other.
//
// [Open] decides from the geometry of the ring between a source and a sink which of
// them is direct, and [File.Next] which calls are. [Ring.OpenAt] is for calls at any
// offset, several at once.
package direct

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/bytering/bytering/internal/memory"
)

// usualBlock is the block if the system does not report it, as for tmpfs and before
// Linux 6.1. It is a multiple of what nearly all devices and file systems need. On
// any other the first call is refused.
const usualBlock = 4096

// ErrNoFile is the reason why an end that is not an os.File is not direct.
var ErrNoFile = errors.New("not a file of package os")

var (
	errKind = errors.New("neither a regular file nor a block device")
	errNone = errors.New("no direct I/O on it, says its file system")
	errUsed = errors.New("its ring has bytes in it, or several consumers")
)

// A File is an end that is read or written at its own offset. It belongs to one
// goroutine. The zero File is not direct.
type File struct {
	file   *os.File
	block  int   // a power of two
	at     int64 // where the next byte is read or written
	active bool  // calls are cut into blocks
	found  bool  // whether the flag was set before
	on     bool  // whether the flag is set now
	why    error // why the file is not direct, or not any more
}

// open makes f direct from its offset on, or from its end on if it was opened for
// appending. A file that can't be direct is given up at once.
func open(f *os.File) File {
	d := File{file: f, active: true}
	if err := d.open(); err != nil {
		d.GiveUp(err)
	}
	return d
}

func (d *File) open() error {
	info, appends, err := d.measure()
	if err != nil {
		return err
	}
	if d.at, err = d.file.Seek(0, io.SeekCurrent); err != nil {
		return err
	}
	if appends {
		d.at = info.Size()
	}
	if err := d.set(true); err != nil {
		return refused(err)
	}
	return nil
}

// measure finds the size of the blocks, or why the file can't be direct.
func (d *File) measure() (info fs.FileInfo, appends bool, err error) {
	if info, err = d.file.Stat(); err != nil {
		return info, false, err
	}
	if kind := info.Mode().Type(); kind != 0 && kind != fs.ModeDevice {
		return info, false, errKind
	}
	appends, err = d.look()
	switch {
	case err != nil:
	case d.block == 0:
		err = errNone
	case d.block&(d.block-1) != 0:
		err = fmt.Errorf("its blocks of %d bytes are not a power of two", d.block)
	}
	return info, appends, err
}

func refused(err error) error { return fmt.Errorf("refused by its file system: %w", err) }

// Active reports whether calls must still be cut into blocks.
func (d *File) Active() bool { return d.active }

// Why returns why the file was given up, or nil.
func (d *File) Why() error { return d.why }

// Block returns the size of the blocks.
func (d *File) Block() int { return d.block }

// Rest returns the number of bytes up to the next block, which is a whole block
// at the beginning of one. It returns 1 if the file is not direct.
func (d *File) Rest() int {
	if !d.active {
		return 1
	}
	return d.block - int(d.at&int64(d.block-1))
}

// aligned reports whether the memory of a ring that has b at that position
// begins at a block.
func (d *File) aligned(b []byte, position uint64) bool {
	return memory.Misalignment(b, d.block) == int(position&uint64(d.block-1))
}

// Next returns how many bytes the next call may have, at most room, and sets the
// flag for it. These are whole blocks if they can be direct. Otherwise they are
// buffered: the rest of the block if the offset is within one, or all of room if
// it holds no block.
func (d *File) Next(room int) (int, error) {
	if !d.active {
		return room, nil
	}
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

// Moved counts n bytes that a call has moved, and returns how many of them were
// direct.
func (d *File) Moved(n int) (direct int) {
	d.at += int64(n)
	if d.on {
		return n
	}
	return 0
}

// Refused reports whether a call may have failed because it was direct. Some file
// systems refuse direct I/O only in a call. Another process that shares the file
// may also have set the flag, or moved the offset. If Refused returns true it has
// given the file up, and the caller must repeat the call once.
func (d *File) Refused(err error) bool {
	if d.block == 0 || !isRefusal(err) {
		return false
	}
	stuck := d.set(false)
	if d.active {
		d.GiveUp(refused(err))
	}
	return stuck == nil
}

// GiveUp makes the file go through the cache from now on.
func (d *File) GiveUp(why error) {
	if d.on {
		if err := d.set(false); err != nil {
			why = errors.Join(why, err)
		}
	}
	d.why, d.active = why, false
}

// Close restores the flag.
func (d *File) Close() error {
	if d.on == d.found {
		return nil
	}
	return d.set(d.found)
}
