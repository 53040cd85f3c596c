package pump

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering"
)

// offsets are the places of a stream through a ring of 1000 bytes where something
// fails.
var offsets = []int{0, 1, 499, 500, 999, 1000, 1001, 5000}

// limited is a writer that fails after n bytes, with a short count.
func limited(w io.Writer, n int, err error) io.Writer {
	return writerFunc(func(b []byte) (int, error) {
		if len(b) <= n {
			n -= len(b)
			return w.Write(b)
		}
		m, _ := w.Write(b[:n])
		n = 0
		return m, err
	})
}

// TestSourceFails checks that all bytes that came before the failure arrive.
func TestSourceFails(t *testing.T) {
	for _, n := range offsets {
		for name, src := range map[string]io.Reader{
			"alone":      io.MultiReader(bytes.NewReader(stream(n)), iotest.ErrReader(errTest)),
			"with bytes": iotest.DataErrReader(io.MultiReader(bytes.NewReader(stream(n)), iotest.ErrReader(errTest))),
		} {
			var got bytes.Buffer
			stats, err := Copy(context.Background(), &got, src, Capacity(1000))
			e := failed(t, err, Source, errTest)
			if e.Offset != int64(n) {
				t.Errorf("%s: failed at byte %d, want %d", name, e.Offset, n)
			}
			safe(t, e, int64(n))
			moved(t, stats, int64(n), int64(n))
			arrived(t, got.Bytes(), int64(n))
		}
	}
}

// TestSinkFails checks that Copy returns at once, whatever the source is waiting
// for.
func TestSinkFails(t *testing.T) {
	for _, n := range offsets {
		synctest.Test(t, func(t *testing.T) {
			src, feed := net.Pipe()
			go func() {
				feed.Write(stream(n + 1)) // the source then waits for more
			}()
			defer feed.Close()
			var got bytes.Buffer
			begin := time.Now()
			stats, err := Copy(context.Background(), limited(&got, n, errTest), src, Capacity(1000))
			e := failed(t, err, Sink, errTest)
			if e.Offset != int64(n) {
				t.Errorf("failed at byte %d, want %d", e.Offset, n)
			}
			safe(t, e, int64(n))
			moved(t, stats, stats.Source.Bytes, int64(n))
			arrived(t, got.Bytes(), int64(n))
			if d := time.Since(begin); d != 0 {
				t.Errorf("Copy took %v, want 0", d)
			}
		})
	}
}

// TestSinkFailsWithTheLastByte checks that an error of a write that takes all that
// it was offered is returned, even if the source ended or failed before.
func TestSinkFailsWithTheLastByte(t *testing.T) {
	for _, n := range offsets[1:] {
		for _, end := range []error{io.EOF, errOther} {
			for name, whole := range map[string]func(func([]byte) (int, error)) io.Writer{
				"plain": func(f func([]byte) (int, error)) io.Writer { return writerFunc(f) },
				"vectored": func(f func([]byte) (int, error)) io.Writer {
					return writevFunc(func(bufs [][]byte) (total int, err error) {
						for _, b := range bufs {
							m, failed := f(b)
							total += m
							err = errors.Join(err, failed)
						}
						return total, err
					})
				},
			} {
				synctest.Test(t, func(t *testing.T) {
					var got bytes.Buffer
					stats, err := Copy(context.Background(), whole(func(b []byte) (int, error) {
						synctest.Wait() // until the source has ended, if the ring holds all of it
						if got.Write(b); got.Len() == n {
							return len(b), errTest
						}
						return len(b), nil
					}), io.MultiReader(bytes.NewReader(stream(n)), iotest.ErrReader(end)), Capacity(1000))
					safe(t, failed(t, err, Sink, errTest), int64(n))
					if n <= 1000 && errors.Is(err, errOther) != (end == errOther) {
						t.Errorf("%s, %d bytes, then %v: error %v", name, n, end, err)
					}
					moved(t, stats, int64(n), int64(n))
					arrived(t, got.Bytes(), int64(n))
				})
			}
		}
	}
}

// TestFailureAlone checks that the error names only the side that failed, even if
// the other side ends at the same time.
func TestFailureAlone(t *testing.T) {
	for range 3000 {
		_, err := Copy(context.Background(), io.Discard, iotest.ErrReader(errTest), Capacity(1))
		if e, ok := err.(*Error); !ok || e.Side != Source || e.Err != errTest {
			t.Fatalf("error %v, want the source's alone", err)
		}
		_, err = Copy(context.Background(), limited(io.Discard, 0, errTest), endless(), Capacity(1))
		if e, ok := err.(*Error); !ok || e.Side != Sink || e.Err != errTest {
			t.Fatalf("error %v, want the sink's alone", err)
		}
	}
}

func TestBothFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := Copy(context.Background(), writerFunc(func(b []byte) (int, error) {
			synctest.Wait() // until the source has ended
			return 1, errOther
		}), io.MultiReader(bytes.NewReader(stream(10)), iotest.ErrReader(errTest)))
		e := failed(t, err, Sink, errOther)
		safe(t, e, 1)
		if !errors.Is(err, errTest) {
			t.Errorf("%v lacks the source's error", err)
		}
		want := "pump: sink failed at byte 1: another test error; 1 bytes written\n" +
			"pump: source failed at byte 10: test error; 1 bytes written"
		if err.Error() != want {
			t.Errorf("error %q, want %q", err, want)
		}
	})
}

// TestContextEndsAfterTheSourceFailed checks that the source's error is not lost.
func TestContextEndsAfterTheSourceFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := cancellable()
		dst, peer := net.Pipe()
		defer peer.Close()
		done := start(ctx, dst, io.MultiReader(bytes.NewReader(stream(10)), iotest.ErrReader(errOther)))
		peer.Read(make([]byte, 3))
		synctest.Wait()
		cancel()
		r := <-done
		safe(t, failed(t, r.err, Neither, errTest), 3)
		if !errors.Is(r.err, errOther) {
			t.Fatalf("%v lacks the source's error", r.err)
		}
		own := r.err.(interface{ Unwrap() []error }).Unwrap()[1].(*Error)
		if own.Side != Source || own.Offset != 10 || own.Written != 3 {
			t.Errorf("error %+v, want the source's at byte 10, with 3 bytes written", own)
		}
	})
}

func TestNoProgress(t *testing.T) {
	var got bytes.Buffer
	_, err := Copy(context.Background(), &got, io.MultiReader(bytes.NewReader(stream(10)),
		readerFunc(func([]byte) (int, error) { return 0, nil })))
	safe(t, failed(t, err, Source, io.ErrNoProgress), 10)
	arrived(t, got.Bytes(), 10)

	_, err = Copy(context.Background(), writevFunc(func([][]byte) (int, error) { return 0, nil }), bytes.NewReader(stream(10)))
	safe(t, failed(t, err, Sink, io.ErrShortWrite), 0)
}

// TestShortWrite checks that a plain writer must take all bytes, even if it would
// take the rest in another call.
func TestShortWrite(t *testing.T) {
	for _, n := range []int{0, 1, 9} {
		var got bytes.Buffer
		_, err := Copy(context.Background(), writerFunc(func(b []byte) (int, error) {
			return got.Write(b[:min(n, len(b))])
		}), bytes.NewReader(stream(10)))
		safe(t, failed(t, err, Sink, io.ErrShortWrite), int64(n))
		arrived(t, got.Bytes(), int64(n))
	}
}

// TestSinkSaysEOF checks that io.EOF from a sink is an error like any other.
func TestSinkSaysEOF(t *testing.T) {
	_, err := Copy(context.Background(), limited(io.Discard, 4, io.EOF), bytes.NewReader(stream(10)))
	safe(t, failed(t, err, Sink, io.EOF), 4)
}

// TestInvalidCount checks that a count is compared with what the call was offered,
// not with what the ring holds beyond that. The sink gets only valid bytes, and
// bytes that were not written do not count as written.
func TestInvalidCount(t *testing.T) {
	for _, tc := range []struct {
		name    string
		maxCall int
		before  int // bytes of the stream that are moved before, in lock step
		n       func(offered int) int
		with    error
	}{
		{"above", 100, 0, func(n int) int { return n + 1 }, nil},
		{"above the largest call", 3, 0, func(n int) int { return n + 1 }, nil},
		{"above what lies before the wrap", 100, 9, func(n int) int { return n + 1 }, nil},
		{"below 0", 100, 9, func(int) int { return -1 }, nil},
		{"below 0 with an error", 100, 0, func(int) int { return -1 }, errOther},
		{"above with the end", 3, 0, func(n int) int { return n + 1 }, io.EOF},
	} {
		t.Run(tc.name+"/source", func(t *testing.T) {
			var got bytes.Buffer
			turn := make(chan struct{}, 1)
			turn <- struct{}{}
			src := bytes.NewReader(stream(tc.before))
			stats, err := Copy(context.Background(), writerFunc(func(b []byte) (int, error) {
				n, err := got.Write(b)
				turn <- struct{}{}
				return n, err
			}), readerFunc(func(b []byte) (int, error) {
				<-turn
				if src.Len() == 0 {
					return tc.n(len(b)), tc.with
				}
				return src.Read(b[:min(3, len(b))])
			}), Capacity(10), MaxCall(tc.maxCall))
			e := failed(t, err, Source, bytering.ErrInvalidCount)
			if strings.Contains(err.Error(), "bytering:") {
				t.Errorf("%q has two prefixes", err)
			}
			if tc.with != nil && !errors.Is(err, tc.with) {
				t.Errorf("%v lacks %v", err, tc.with)
			}
			safe(t, e, int64(tc.before))
			moved(t, stats, int64(tc.before), int64(tc.before))
			arrived(t, got.Bytes(), int64(tc.before))
		})
		t.Run(tc.name+"/sink", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got bytes.Buffer
				stats, err := Copy(context.Background(), writerFunc(func(b []byte) (int, error) {
					synctest.Wait() // until the ring is full
					if got.Len() == tc.before {
						return tc.n(len(b)), tc.with
					}
					return got.Write(b)
				}), endless(), Capacity(10), MaxCall(min(3, tc.maxCall)))
				e := failed(t, err, Sink, bytering.ErrInvalidCount)
				if tc.with != nil && !errors.Is(err, tc.with) {
					t.Errorf("%v lacks %v", err, tc.with)
				}
				safe(t, e, int64(tc.before))
				moved(t, stats, int64(tc.before+10+3), int64(tc.before)) // 3 bytes are in the spill
				arrived(t, got.Bytes(), int64(tc.before))
			})
		})
	}
}

// panicked returns what f panics with.
func panicked(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

// TestPanics checks that a panic comes out of Copy, where its caller can recover
// it, after everything else has been done.
func TestPanics(t *testing.T) {
	var got bytes.Buffer
	v := panicked(func() {
		Copy(context.Background(), &got, io.MultiReader(bytes.NewReader(stream(10)),
			readerFunc(func([]byte) (int, error) { panic(errTest) })))
	})
	if v != errTest {
		t.Errorf("a source that panics: recovered %v", v)
	}
	arrived(t, got.Bytes(), 10)

	synctest.Test(t, func(t *testing.T) {
		src, feed := net.Pipe()
		defer feed.Close()
		go feed.Write(stream(10))
		v := panicked(func() {
			Copy(context.Background(), writerFunc(func([]byte) (int, error) { panic(errTest) }), src)
		})
		if v != errTest {
			t.Errorf("a sink that panics: recovered %v", v)
		}
		a, peer := net.Pipe()
		defer peer.Close()
		b := struct {
			io.Reader
			io.Writer
		}{readerFunc(func([]byte) (int, error) { panic(errTest) }), io.Discard}
		for _, ends := range [][2]io.ReadWriter{{a, b}, {b, a}} {
			v = panicked(func() { Relay(context.Background(), ends[0], ends[1]) })
			if v != errTest {
				t.Errorf("an end that panics: recovered %v", v)
			}
		}
	})

	for name, f := range map[string]func(){
		"source": func() { Copy(context.Background(), io.Discard, nil) },
		"sink":   func() { Copy(context.Background(), nil, bytes.NewReader(stream(10))) },
		"end":    func() { Relay(context.Background(), nil, nil) },
	} {
		for range 50 { // either direction of a Relay may panic first
			v := panicked(f)
			if _, ok := v.(runtime.Error); !ok {
				t.Fatalf("recovered %v, want a runtime error of a nil %s", v, name)
			}
		}
	}
}

// TestGoexit checks that a source that ends its goroutine, as t.FailNow does, ends
// the goroutine that copies.
func TestGoexit(t *testing.T) {
	for i, f := range []func(){
		func() {
			Copy(context.Background(), io.Discard, readerFunc(func([]byte) (int, error) { runtime.Goexit(); return 0, nil }))
		},
		func() {
			Copy(context.Background(), writerFunc(func([]byte) (int, error) { runtime.Goexit(); return 0, nil }), endless())
		},
	} {
		done := make(chan string, 1)
		go func() {
			end := "exited"
			defer func() { done <- fmt.Sprint(end, recover()) }()
			f()
			end = "returned"
		}()
		if end := <-done; end != "exited<nil>" {
			t.Errorf("%d: %s", i, end)
		}
	}
}
