package main

import (
	"context"
	"io"
	"net"
	"os"
	"runtime"
	"strings"

	"github.com/bytering/bytering"
	"github.com/djherbis/buffer"
	"github.com/djherbis/nio/v3"
	"github.com/smallnest/ringbuffer"
	"google.golang.org/grpc/test/bufconn"
)

// holds reports whether a link takes as much as its capacity while no goroutine
// reads.
func (l link) holds() bool { return !strings.HasSuffix(l.name, ".Pipe") }

// links returns ours, then the rivals.
func links() []link {
	return []link{
		{"bytering Write/Read", true, openParking},
		{"bytering Slices+Commit", true, openSlices},
		{"bytering SlicesAtLeast+Commit", true, openAtLeast},
		{"bytering TryWrite/TryRead", true, openTrying},
		{"io.Pipe", false, openPipe},
		{"net.Pipe", false, openNetPipe},
		{"os.Pipe", false, openOSPipe},
		{"djherbis/nio", false, openNio},
		{"smallnest/ringbuffer", false, openSmallnest},
		{"grpc bufconn", false, openBufconn},
	}
}

func openParking(capacity int) (io.WriteCloser, io.Reader, error) {
	p, c, err := bytering.New(capacity)
	return p, c, err
}

// largestCopy is the most that the documentation of Slices advises to copy at once.
const largestCopy = 256 << 10

// A slicesWriter copies into the ring's own memory, where other code would produce
// its bytes.
type slicesWriter struct{ *bytering.Producer }

func (w slicesWriter) Write(b []byte) (total int, err error) {
	for total < len(b) {
		x, y := w.Slices()
		rest := b[total:min(len(b), total+largestCopy)]
		n := copy(x, rest)
		if len(y) > 0 {
			n += copy(y, rest[n:])
		}
		if n == 0 {
			// The Write method waits for as much.
			if err := w.Wait(context.Background(), min(len(b)-total, max(1, w.Cap()/4))); err != nil {
				return total, err
			}
			continue
		}
		if err := w.Commit(n); err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

type slicesReader struct{ *bytering.Consumer }

func (r slicesReader) Read(b []byte) (n int, err error) {
	for {
		x, y := r.Slices()
		b = b[:min(len(b), largestCopy)]
		n = copy(b, x)
		if len(y) > 0 {
			n += copy(b[n:], y)
		}
		if n > 0 {
			return n, r.Discard(n)
		}
		if err := r.Wait(context.Background(), 1); err != nil {
			return 0, err
		}
	}
}

func openSlices(capacity int) (io.WriteCloser, io.Reader, error) {
	p, c, err := bytering.New(capacity)
	return slicesWriter{p}, slicesReader{c}, err
}

func openAtLeast(capacity int) (io.WriteCloser, io.Reader, error) {
	p, c, err := bytering.New(capacity)
	return atLeastWriter{slicesWriter{p}}, atLeastReader{slicesReader{c}}, err
}

// An atLeastWriter is a slicesWriter that tries first whether there is room for all
// its bytes in one piece, as code that produces small messages would.
type atLeastWriter struct{ slicesWriter }

func (w atLeastWriter) Write(b []byte) (int, error) {
	x, _, err := w.SlicesAtLeast(len(b))
	if err != nil || len(x) < len(b) || len(b) > largestCopy {
		return w.slicesWriter.Write(b)
	}
	return len(b), w.Commit(copy(x, b))
}

type atLeastReader struct{ slicesReader }

func (r atLeastReader) Read(b []byte) (int, error) {
	x, _, err := r.SlicesAtLeast(len(b))
	if err != nil || len(x) < len(b) || len(b) > largestCopy {
		return r.slicesReader.Read(b)
	}
	return len(b), r.Discard(copy(b, x))
}

// A tryWriter tries again instead of parking.
type tryWriter struct{ *bytering.Producer }

func (w tryWriter) Write(b []byte) (total int, err error) {
	for {
		n, err := w.TryWrite(b[total:])
		total += n
		if total == len(b) || err != nil {
			return total, err
		}
		if n == 0 {
			runtime.Gosched()
		}
	}
}

type tryReader struct{ *bytering.Consumer }

func (r tryReader) Read(b []byte) (int, error) {
	for {
		n, err := r.TryRead(b)
		if n > 0 || err != nil {
			return n, err
		}
		runtime.Gosched()
	}
}

func openTrying(capacity int) (io.WriteCloser, io.Reader, error) {
	p, c, err := bytering.New(capacity)
	return tryWriter{p}, tryReader{c}, err
}

func openPipe(int) (io.WriteCloser, io.Reader, error) {
	r, w := io.Pipe()
	return w, r, nil
}

func openNetPipe(int) (io.WriteCloser, io.Reader, error) {
	w, r := net.Pipe()
	return w, r, nil
}

// openOSPipe leaves the pipe at the size that the system gives it.
func openOSPipe(int) (io.WriteCloser, io.Reader, error) {
	r, w, err := os.Pipe()
	return w, r, err
}

func openNio(capacity int) (io.WriteCloser, io.Reader, error) {
	r, w := nio.Pipe(buffer.New(int64(capacity)))
	return w, r, nil
}

func openSmallnest(capacity int) (io.WriteCloser, io.Reader, error) {
	r := ringbuffer.New(capacity).SetBlocking(true)
	return r.WriteCloser(), smallnestReader{r}, nil
}

// A smallnestReader separates bytes from the end of the stream, which smallnest
// returns together.
type smallnestReader struct{ *ringbuffer.RingBuffer }

func (r smallnestReader) Read(b []byte) (int, error) {
	n, err := r.RingBuffer.Read(b)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// openBufconn uses one direction of a connection.
func openBufconn(capacity int) (io.WriteCloser, io.Reader, error) {
	l := bufconn.Listen(capacity)
	w, r, err := place{l, l.DialContext}.pair()
	return w, r, err
}
