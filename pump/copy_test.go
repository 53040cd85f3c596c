package pump

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering"
)

// prompt is a limit for what takes no time to speak of, even on a busy machine.
const prompt = 20 * time.Second

func TestCopy(t *testing.T) {
	readers := map[string]func(io.Reader) io.Reader{
		"bytes":   func(r io.Reader) io.Reader { return r },
		"one":     iotest.OneByteReader,
		"half":    iotest.HalfReader,
		"n + EOF": iotest.DataErrReader,
		"vectored": func(r io.Reader) io.Reader {
			return readvFunc(func(bufs [][]byte) (n int, err error) {
				for _, b := range bufs {
					m, err := r.Read(b)
					if n += m; m < len(b) || err != nil {
						return n, err
					}
				}
				return n, nil
			})
		},
	}
	writers := map[string]func(io.Writer) io.Writer{
		"bytes": func(w io.Writer) io.Writer { return w },
		"vectored": func(w io.Writer) io.Writer {
			return writevFunc(func(bufs [][]byte) (int, error) { return w.Write(bytes.Join(bufs, nil)) })
		},
		"vectored and short": func(w io.Writer) io.Writer {
			return writevFunc(func(bufs [][]byte) (int, error) { return w.Write(bufs[0][:(len(bufs[0])+1)/2]) })
		},
	}
	for _, tc := range []struct{ capacity, size int }{
		{1, 0}, {1, 1}, {1, 2}, {1, 999},
		{1000, 0}, {1000, 1}, {1000, 999}, {1000, 1000}, {1000, 1001}, {1000, 40_001},
		{1 << 20, 0}, {1 << 20, 1}, {1 << 20, 1 << 20}, {1 << 20, 1<<21 + 7},
	} {
		for rname, r := range readers {
			if rname == "one" && tc.size > 50_000 {
				continue // would take hours
			}
			for wname, w := range writers {
				t.Run(fmt.Sprintf("%d through %d/%s to %s", tc.size, tc.capacity, rname, wname), func(t *testing.T) {
					var got bytes.Buffer
					stats, err := Copy(context.Background(), w(&got), r(bytes.NewReader(stream(tc.size))), Capacity(tc.capacity))
					if err != nil {
						t.Fatal(err)
					}
					arrived(t, got.Bytes(), int64(tc.size))
					moved(t, stats, int64(tc.size), int64(tc.size))
				})
			}
		}
	}
}

func TestOptions(t *testing.T) {
	for _, tc := range []struct {
		name string
		opts []Option
		err  error
	}{
		{"none", nil, nil},
		{"smallest", []Option{Capacity(1), MaxCall(1)}, nil},
		{"call above ring", []Option{Capacity(2), MaxCall(1 << 30)}, nil},
		{"no meter", []Option{WithMeter(nil)}, nil},
		{"the last counts", []Option{Capacity(0), Capacity(10), MaxCall(0), MaxCall(3)}, nil},
		{"capacity 0", []Option{Capacity(0)}, bytering.ErrInvalidCapacity},
		{"capacity below 0", []Option{Capacity(-1)}, bytering.ErrInvalidCapacity},
		{"call of 0", []Option{MaxCall(0)}, ErrInvalidMaxCall},
		{"call below 0", []Option{MaxCall(-1)}, ErrInvalidMaxCall},
	} {
		var got bytes.Buffer
		stats, err := Copy(context.Background(), &got, bytes.NewReader(stream(10)), tc.opts...)
		if !errors.Is(err, tc.err) {
			t.Errorf("%s: error %v, want %v", tc.name, err, tc.err)
		}
		n := 10
		if tc.err != nil {
			n = 0
		}
		arrived(t, got.Bytes(), int64(n))
		moved(t, stats, int64(n), int64(n))
	}
}

// TestMaxCall moves a stream in lock step through a ring of 13 bytes, so that the
// test knows what each call is offered. While a read is offered the space, up to
// two earlier reads may not have been given back, and the read has room in the
// spill as well.
func TestMaxCall(t *testing.T) {
	for _, tc := range []struct {
		maxCall int
		lengths string
	}{
		{1, "[[1] [1] [1] [1] [1] [1] [1] [1] [1] [1] [1] [1] [1] [1] [1] [1] [1]]"},
		{3, "[[3] [3] [3] [3] [1 2] [2]]"},
		{4, "[[4] [4] [4] [1 3] [1]]"},
	} {
		const size = 17
		src := bytes.NewReader(stream(size))
		var got bytes.Buffer
		var offered, taken [][]int
		shape := func(bufs [][]byte) (lengths []int) {
			for _, b := range bufs {
				if len(b) == 0 || cap(b) != len(b) {
					t.Errorf("a slice has %d bytes and capacity %d", len(b), cap(b))
				}
				lengths = append(lengths, len(b))
			}
			return lengths
		}
		free := make(chan struct{}, 1)
		free <- struct{}{}
		source := readvFunc(func(bufs [][]byte) (n int, err error) {
			<-free
			if src.Len() == 0 {
				return 0, io.EOF
			}
			for i, b := range bufs {
				m, _ := src.Read(b)
				bufs[i] = b[:m:m]
				n += m
			}
			if len(bufs) > 1 && len(bufs[1]) == 0 {
				bufs = bufs[:1]
			}
			offered = append(offered, shape(bufs))
			return n, nil
		})
		sink := writevFunc(func(bufs [][]byte) (int, error) {
			taken = append(taken, shape(bufs))
			n, err := got.Write(bytes.Join(bufs, nil))
			free <- struct{}{}
			return n, err
		})
		stats, err := Copy(context.Background(), sink, source, Capacity(13), MaxCall(tc.maxCall))
		if err != nil {
			t.Fatal(err)
		}
		arrived(t, got.Bytes(), size)
		moved(t, stats, size, size)
		if s := fmt.Sprint(taken); s != tc.lengths {
			t.Errorf("MaxCall %d: the sink is offered %v, want %v", tc.maxCall, s, tc.lengths)
		}
		if s := fmt.Sprint(offered); s != tc.lengths {
			t.Errorf("MaxCall %d: the source gives %v, want %v", tc.maxCall, s, tc.lengths)
		}
	}
}

// TestPlainMaxCall checks that MaxCall also limits what a plain reader and writer
// are offered.
func TestPlainMaxCall(t *testing.T) {
	for _, maxCall := range []int{1, 3, 7, 1000} {
		var got bytes.Buffer
		src := bytes.NewReader(stream(10_000))
		_, err := Copy(context.Background(), writerFunc(func(b []byte) (int, error) {
			if len(b) > maxCall || cap(b) != len(b) {
				t.Errorf("MaxCall(%d): Write is given %d bytes of capacity %d", maxCall, len(b), cap(b))
			}
			return got.Write(b)
		}), readerFunc(func(b []byte) (int, error) {
			if len(b) > maxCall || cap(b) != len(b) {
				t.Errorf("MaxCall(%d): Read is given room for %d bytes of capacity %d", maxCall, len(b), cap(b))
			}
			return src.Read(b)
		}), Capacity(50), MaxCall(maxCall))
		if err != nil {
			t.Error(err)
		}
		arrived(t, got.Bytes(), 10_000)
	}
}

// TestReadsWhileTheSinkWrites has the first write return only when the ring is
// full. The source must fill it meanwhile.
func TestReadsWhileTheSinkWrites(t *testing.T) {
	const capacity = 1000
	read, full := 0, make(chan struct{})
	src := bytes.NewReader(stream(5000))
	var got bytes.Buffer
	first := true
	stats, err := Copy(context.Background(), writerFunc(func(b []byte) (int, error) {
		if first {
			<-full
			first = false
		}
		return got.Write(b)
	}), readerFunc(func(b []byte) (int, error) {
		n, err := src.Read(b)
		if read += n; read == capacity {
			close(full)
		}
		return n, err
	}), Capacity(capacity), MaxCall(10))
	if err != nil {
		t.Fatal(err)
	}
	arrived(t, got.Bytes(), 5000)
	moved(t, stats, 5000, 5000)
}

// TestWritesWhileTheSourceReads has each read return only when the sink has
// everything that came before.
func TestWritesWhileTheSourceReads(t *testing.T) {
	src := bytes.NewReader(stream(500))
	var got bytes.Buffer
	wrote := make(chan struct{}, 1)
	wrote <- struct{}{}
	stats, err := Copy(context.Background(), writerFunc(func(b []byte) (int, error) {
		n, err := got.Write(b)
		wrote <- struct{}{}
		return n, err
	}), readerFunc(func(b []byte) (int, error) {
		<-wrote
		return src.Read(b[:min(len(b), 100)])
	}))
	if err != nil {
		t.Fatal(err)
	}
	arrived(t, got.Bytes(), 500)
	if want := int64(5); stats.Sink.Calls != want {
		t.Errorf("%d writes, want %d", stats.Sink.Calls, want)
	}
}

// TestContextEndedBefore checks that Copy does not touch its ends if the context
// has ended.
func TestContextEndedBefore(t *testing.T) {
	ctx, cancel := cancellable()
	cancel()
	stats, err := Copy(ctx,
		writerFunc(func([]byte) (int, error) { t.Error("written"); return 0, nil }),
		readerFunc(func([]byte) (int, error) { t.Error("read"); return 0, io.EOF }))
	safe(t, failed(t, err, Neither, errTest), 0)
	if stats != (Stats{}) {
		t.Errorf("stats %+v, want none", stats)
	}
}

// TestContextEndsWithTheStream checks that a context that ends after the last byte
// is not an error if Copy sees both at once.
func TestContextEndsWithTheStream(t *testing.T) {
	ctx, cancel := cancellable()
	_, err := Copy(ctx, io.Discard, bytes.NewReader(stream(10)))
	cancel()
	if err != nil {
		t.Error(err)
	}
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			ctx, cancel := cancellable()
			done := start(ctx, writerFunc(func(b []byte) (int, error) { cancel(); return len(b), nil }), bytes.NewReader(stream(10)))
			switch r := <-done; {
			case r.err == nil:
				moved(t, r.stats, 10, 10)
			default:
				// The write that ended the context counts as well.
				safe(t, failed(t, r.err, Neither, errTest), 10)
			}
		}
	})
}
