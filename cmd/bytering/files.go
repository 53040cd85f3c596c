package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
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
	size int64    // of a regular source, what is left of it, or -1
}

func openSource(name string, stdin *os.File) (*end, error) {
	e := &end{file: stdin, name: stdinName, std: stdin, size: -1}
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fail(exitRefused, "%w", err)
		}
		e = &end{file: f, name: name, size: -1}
	}
	info, err := e.file.Stat()
	if err != nil {
		return nil, fail(exitRefused, "%w", err)
	}
	if info.IsDir() {
		return nil, fail(exitRefused, "read %s: is a directory", e.name)
	}
	if info.Mode().IsRegular() {
		if at, err := e.file.Seek(0, io.SeekCurrent); err == nil {
			e.size = max(0, info.Size()-at)
		}
	}
	return e, nil
}

// openSink opens the output, which must not exist unless force is given or it
// is something that a write does not destroy: a device or a pipe. The source
// is never opened as the sink.
func openSink(name string, force bool, source *end, stdout *os.File) (*end, error) {
	if name == "-" {
		// The file of an appending shell redirection, or a pipe.
		if info, err := stdout.Stat(); err == nil && source.is(info) {
			return nil, bothEnds(source.name, stdoutName)
		}
		return &end{file: stdout, name: stdoutName, std: stdout}, nil
	}
	info, err := os.Stat(name)
	exists := err == nil
	if exists && source.is(info) {
		return nil, bothEnds(source.name, name)
	}
	flag := os.O_WRONLY
	switch {
	case exists && !info.Mode().IsRegular():
	case force:
		flag |= os.O_CREATE
	default:
		flag |= os.O_CREATE | os.O_EXCL
	}
	f, err := os.OpenFile(name, flag, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil, alreadyThere(name)
	}
	if err != nil {
		return nil, fail(exitRefused, "%w", err)
	}
	// What was opened need not be what was there a moment ago, so that
	// nothing is cut off before another look.
	if err := claim(f, name, flag, force, source); err != nil {
		f.Close()
		return nil, err
	}
	return &end{file: f, name: name}, nil
}

// claim empties a regular file that was opened as the sink.
func claim(f *os.File, name string, flag int, force bool, source *end) error {
	info, err := f.Stat()
	switch {
	case err != nil:
		return fail(exitRefused, "%w", err)
	case !info.Mode().IsRegular() || flag&os.O_EXCL != 0:
		return nil
	case source.is(info):
		return bothEnds(source.name, name)
	case !force:
		return alreadyThere(name)
	}
	if err := f.Truncate(0); err != nil {
		return fail(exitRefused, "%w", err)
	}
	return nil
}

// close closes it by every way that the process has to it, so that the process
// at its other end sees that.
func (e *end) close() error {
	err := e.file.Close()
	if e.std != nil && e.std != e.file {
		err = errors.Join(err, e.std.Close())
	}
	return err
}

// onDisk reports whether that is a regular file or a block device, which a call
// never has to wait for.
func onDisk(info fs.FileInfo) bool {
	return info.Mode().IsRegular() || info.Mode()&(fs.ModeDevice|fs.ModeCharDevice) == fs.ModeDevice
}

// is tells whether the source is that regular file or pipe, either of which
// would be fed with what was read from it and never end. Anonymous pipes have
// numbers that tell them apart on Linux only.
func (e *end) is(info fs.FileInfo) bool {
	own, err := e.file.Stat()
	pipe := info.Mode()&fs.ModeNamedPipe != 0 && runtime.GOOS == "linux"
	return err == nil && (pipe || info.Mode().IsRegular()) && os.SameFile(own, info)
}

func bothEnds(source, sink string) error {
	if source == sink {
		return fail(exitRefused, "%s is both input and output", source)
	}
	return fail(exitRefused, "%s and %s are the same", source, sink)
}

func alreadyThere(name string) error {
	return fail(exitRefused, "open %s: file exists (-f overwrites it)", name)
}
