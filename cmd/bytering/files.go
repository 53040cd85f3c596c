package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
)

const (
	stdinName  = "standard input"
	stdoutName = "standard output"
)

// An end is the source or the sink.
type end struct {
	file *os.File
	name string
	std  *os.File // the process's own that it is, or is another way to, or nil
	size int64    // of a regular source, what is left of it, or of a block device, or -1

	remote *remote // what is read instead of file, or nil
	stored *stored // what is read or written instead of file, or nil

	deliver func() error // of a connection: waits until the other host has all of it

	made bool // the open has made the file, an output
	full bool // an output that is a file whose old bytes are to go
}

func openSource(name string, stdin *os.File) (*end, error) {
	e := &end{file: stdin, name: stdinName, std: stdin, size: -1}
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fail(exitRefused, "%w", named(err))
		}
		e = &end{file: f, name: quoted(name), size: -1}
	}
	info, err := e.file.Stat()
	if err != nil {
		return nil, fail(exitRefused, "%w", named(err))
	}
	if info.IsDir() {
		return nil, isDirectory(e.name)
	}
	if isBlockDevice(info) {
		e.size = deviceSize(e.file)
	}
	if info.Mode().IsRegular() {
		if at, err := e.file.Seek(0, io.SeekCurrent); err == nil {
			e.size = max(0, info.Size()-at)
		}
	}
	return e, nil
}

// openSink opens the output. It must not exist, unless force is given or a
// write does not destroy it, as for a device or a pipe. The source is never
// opened as the sink. What a file holds stays until empty is called.
func openSink(p place, cfg *config, source *source, stdout *os.File) (*end, error) {
	name, force := p.name, cfg.force
	if name == "-" {
		// The file of an appending shell redirection, or a pipe.
		if info, err := stdout.Stat(); err == nil && source.is(info) {
			return nil, bothEnds(source.cur.name, stdoutName)
		}
		return &end{file: stdout, name: stdoutName, std: stdout}, nil
	}
	info, err := os.Stat(name)
	exists := err == nil
	if exists && source.is(info) {
		return nil, bothEnds(source.cur.name, quoted(name))
	}
	flag := os.O_WRONLY
	if cfg.syncEach {
		flag |= os.O_SYNC
	}
	switch {
	case exists && isBlockDevice(info):
		flag |= exclusive
		force = force || cfg.as == asMbuffer // which does not ask for it either
	case exists && !info.Mode().IsRegular():
	case p.append:
		flag |= os.O_CREATE | os.O_APPEND
	case force:
		flag |= os.O_CREATE
	default:
		flag |= os.O_CREATE | os.O_EXCL
	}
	f, err := os.OpenFile(name, flag, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil, alreadyThere(quoted(name))
	}
	if err != nil {
		return nil, fail(exitRefused, "%w", named(err))
	}
	// The file that was opened may differ from the one that was there a moment
	// ago, so it is checked again.
	full, err := claim(f, name, flag, force, source)
	if err != nil {
		f.Close()
		return nil, err
	}
	made := flag&os.O_CREATE != 0 && flag&os.O_EXCL != 0
	return &end{file: f, name: quoted(name), made: made, full: full}, nil
}

// claim returns an error if f, which was opened as the sink, must not be written
// to, and reports whether it is a file to be emptied first.
func claim(f *os.File, name string, flag int, force bool, source *source) (full bool, err error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return false, fail(exitRefused, "%w", named(err))
	case isBlockDevice(info) && !force:
		return false, fail(exitRefused, "open %s: is a block device (-f overwrites it)", quoted(name))
	case isBlockDevice(info) && flag&exclusive != exclusive:
		return false, fail(exitRefused, "open %s: was replaced by a block device", quoted(name))
	case !info.Mode().IsRegular() || flag&os.O_EXCL != 0:
		return false, nil
	case source.is(info):
		return false, bothEnds(source.cur.name, quoted(name))
	case flag&os.O_APPEND != 0:
		return false, nil
	case !force:
		return false, alreadyThere(quoted(name))
	}
	return true, nil
}

// unmake removes an output that the open has made. Otherwise the same command would
// be refused, because the file exists, when it is tried again.
func (e *end) unmake() {
	if e.made {
		os.Remove(e.file.Name())
	}
}

// empty removes what an output held before. It is called when all ends are open,
// so that a command that can't begin destroys nothing.
func (e *end) empty() error {
	if !e.full {
		return nil
	}
	if err := e.file.Truncate(0); err != nil {
		return fail(exitRefused, "%w", named(err))
	}
	return nil
}

// close closes every descriptor that the process has of the end, so that the
// process at the other end sees that.
func (e *end) close() error {
	switch {
	case e.remote != nil:
		return e.remote.Close()
	case e.stored != nil: // which is closed when it is read or written
		return nil
	}
	err := e.file.Close()
	if e.std != nil && e.std != e.file {
		err = errors.Join(err, e.std.Close())
	}
	return err
}

// finish closes an output. If all is set, it first waits until the other host has
// everything, and if sync is set, until everything is safe on the disk.
func (e *end) finish(all, sync bool) error {
	var err error
	if all && e.deliver != nil {
		err = e.deliver()
	}
	if info, failed := e.file.Stat(); all && sync && failed == nil && onDisk(info) {
		err = e.file.Sync()
	}
	return errors.Join(err, e.close())
}

// onDisk reports whether info is of a regular file or a block device. Calls on
// those never wait for another process.
func onDisk(info fs.FileInfo) bool {
	return info.Mode().IsRegular() || isBlockDevice(info)
}

func isBlockDevice(info fs.FileInfo) bool {
	return info.Mode()&(fs.ModeDevice|fs.ModeCharDevice) == fs.ModeDevice
}

// is reports whether the input is the file, block device or pipe of info. Such
// an output would feed the input with what was read from it, and never end. Only
// on Linux do anonymous pipes have numbers that distinguish them.
func (e *end) is(info fs.FileInfo) bool {
	own, err := e.file.Stat()
	pipe := info.Mode()&fs.ModeNamedPipe != 0 && runtime.GOOS == "linux"
	return err == nil && (pipe || onDisk(info)) && os.SameFile(own, info)
}

// is reports whether any of the inputs is that file or pipe.
func (s *source) is(info fs.FileInfo) bool {
	return s.cur.is(info) || slices.ContainsFunc(s.rest, func(p place) bool {
		own, err := os.Stat(p.name)
		return p.kind == file && p.name != "-" && err == nil && onDisk(info) && os.SameFile(own, info)
	})
}

func isDirectory(name string) error { return fail(exitRefused, "read %s: is a directory", name) }

func bothEnds(source, sink string) error {
	if source == sink {
		return fail(exitRefused, "%s is both input and output", source)
	}
	return fail(exitRefused, "%s and %s are the same", source, sink)
}

func alreadyThere(name string) error {
	return fail(exitRefused, "open %s: file exists (-f overwrites it)", name)
}
