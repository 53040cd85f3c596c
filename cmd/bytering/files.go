package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// An end is the source or the sink.
type end struct {
	*os.File
	name string
	std  bool  // it is one of the process's own
	size int64 // of a regular source, what is left of it; else -1
}

func openSource(name string) (*end, error) {
	e := &end{File: os.Stdin, name: "standard input", std: true, size: -1}
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fail(exitSource, err)
		}
		e = &end{File: f, name: name, size: -1}
	}
	info, err := e.Stat()
	if err != nil {
		return nil, fail(exitSource, err)
	}
	if info.IsDir() {
		return nil, fail(exitSource, fmt.Errorf("%s is a directory", e.name))
	}
	if info.Mode().IsRegular() {
		if at, err := e.Seek(0, 1); err == nil {
			e.size = max(0, info.Size()-at)
		}
	}
	return e, nil
}

// openSink opens the output, which must not exist unless force is given or it
// is something that a write does not destroy: a device or a pipe. The source
// is never opened as the sink.
func openSink(name string, force bool, source *end) (*end, error) {
	if name == "-" {
		return &end{File: os.Stdout, name: "standard output", std: true}, nil
	}
	info, err := os.Stat(name)
	if err == nil {
		if from, err := source.Stat(); err == nil && info.Mode().IsRegular() && os.SameFile(from, info) {
			return nil, fail(exitUsage, fmt.Errorf("%s is both input and output", name))
		}
		if info.IsDir() {
			return nil, fail(exitSink, fmt.Errorf("%s is a directory", name))
		}
	}
	flag := os.O_WRONLY
	switch {
	case err == nil && !info.Mode().IsRegular():
	case force:
		flag |= os.O_CREATE | os.O_TRUNC
	default:
		flag |= os.O_CREATE | os.O_EXCL
	}
	f, err := os.OpenFile(name, flag, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil, fail(exitUsage, fmt.Errorf("%s exists (-f overwrites it)", name))
	}
	if err != nil {
		return nil, fail(exitSink, err)
	}
	return &end{File: f, name: name}, nil
}

// A failure is an error with the exit code that it makes.
type failure struct {
	code int
	error
}

func (f *failure) Unwrap() error { return f.error }

func fail(code int, err error) error { return &failure{code, err} }
