package memconn

import (
	"io"
	"syscall"

	"github.com/bytering/bytering/vectored"
)

// The source of a ReadFrom and the sink of a WriteTo may return the very errors
// that a ring has for itself, io.ErrClosedPipe for example. So that they are
// told apart, both are wrapped in something that remembers their last error.
//
// A value with a descriptor is passed on as it is, because the ring chooses by
// its type how to use it. Its errors come from package net or os, which wrap
// them.

// watchSource returns src, or a wrapper that stores its errors in err.
func watchSource(src io.Reader, err *error) io.Reader {
	switch r := src.(type) {
	case vectored.Reader:
		return &vectorSource{source{src, err}, r}
	case syscall.Conn:
		return src
	}
	return &source{src, err}
}

// watchSink returns dst, or a wrapper that stores its errors in err.
func watchSink(dst io.Writer, err *error) io.Writer {
	switch w := dst.(type) {
	case vectored.Writer:
		return &vectorSink{sink{dst, err}, w}
	case syscall.Conn:
		return dst
	}
	return &sink{dst, err}
}

type source struct {
	r   io.Reader
	err *error
}

func (s *source) Read(b []byte) (n int, err error) {
	n, err = s.r.Read(b)
	*s.err = err
	return n, err
}

// Boundary tells the ring what room a read needs.
func (s *source) Boundary() vectored.Boundary { return vectored.BoundaryOf(s.r) }

type vectorSource struct {
	source
	v vectored.Reader
}

func (s *vectorSource) Readv(bufs [][]byte) (n int, err error) {
	n, err = s.v.Readv(bufs)
	*s.err = err
	return n, err
}

type sink struct {
	w   io.Writer
	err *error
}

func (s *sink) Write(b []byte) (n int, err error) {
	n, err = s.w.Write(b)
	*s.err = err
	return n, err
}

type vectorSink struct {
	sink
	v vectored.Writer
}

func (s *vectorSink) Writev(bufs [][]byte) (n int, err error) {
	n, err = s.v.Writev(bufs)
	*s.err = err
	return n, err
}
