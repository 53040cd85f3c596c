package main

import (
	"context"
	"fmt"
	"io"

	"github.com/bytering/bytering/pump"
	"github.com/djherbis/buffer"
	"github.com/djherbis/nio/v3"
	"github.com/klauspost/readahead"
)

// A way copies src to dst until the end.
type way struct {
	name string
	ours bool
	copy func(dst io.Writer, src io.Reader) (int64, error)
}

// pumping is pump.Copy with options.
func pumping(name string, opts ...pump.Option) way {
	return way{"pump.Copy" + name, true, func(dst io.Writer, src io.Reader) (int64, error) {
		stats, err := pump.Copy(context.Background(), dst, src, opts...)
		return stats.Sink.Bytes, err
	}}
}

// plain is io.Copy through a buffer. It hides the methods of connections and files
// with which io.Copy would need no buffer.
func plain(size int) way {
	return way{fmt.Sprintf("io.CopyBuffer, %s, nothing but Read and Write", sizeName(size)), false,
		func(dst io.Writer, src io.Reader) (int64, error) {
			return io.CopyBuffer(struct{ io.Writer }{dst}, struct{ io.Reader }{src}, make([]byte, size))
		}}
}

// reading is readahead with a number of buffers of a size. Its default is 4 of 1
// MiB.
func reading(buffers, size int) way {
	return way{fmt.Sprintf("klauspost/readahead, %d × %s", buffers, sizeName(size)), false, func(dst io.Writer, src io.Reader) (int64, error) {
		r, err := readahead.NewReaderSize(src, buffers, size)
		if err != nil {
			return 0, err
		}
		defer r.Close()
		return io.Copy(dst, r)
	}}
}

// nioing is nio.Copy.
func nioing(size int) way {
	return way{"djherbis/nio Copy, " + sizeName(size), false, func(dst io.Writer, src io.Reader) (int64, error) {
		return nio.Copy(dst, src, buffer.New(int64(size)))
	}}
}

var ioCopy = way{"io.Copy", false, io.Copy}
