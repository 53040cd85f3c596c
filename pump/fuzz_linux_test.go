package pump

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/internal/pattern"
	"github.com/bytering/bytering/internal/scripted"
	"github.com/bytering/bytering/vectored"
)

// Bits of a fuzz input's last argument.
const (
	readvBit   = 1 << iota // the source is read with readv
	writevBit              // the sink is written with writev
	contextBit             // the context ends at some call of the source
)

// FuzzCopy compares what Copy returns with what its scripted ends have recorded:
// the side that failed, its error and its offset, how many bytes are safe, and the
// statistics, whichever end is faster.
func FuzzCopy(f *testing.F) {
	for i, read := range scripted.Seeds {
		for j, write := range scripted.Seeds {
			f.Add(read, write, byte(4+7*i), byte(3*j), byte(i+j))
		}
	}
	f.Fuzz(func(t *testing.T, read, write []byte, capacity, maxCall, bits byte) {
		reads, writes := scripted.Decode(read), scripted.Decode(write)
		src, dst := scripted.NewSource(t, reads...), scripted.NewSink(t, writes...)
		r, w := io.Reader(src), io.Writer(dst)
		plain := bits&writevBit == 0
		var err error
		if bits&readvBit != 0 {
			if r, err = vectored.NewReader(src); err != nil {
				t.Fatal(err)
			}
		}
		if !plain {
			if w, err = vectored.NewWriter(dst); err != nil {
				t.Fatal(err)
			}
		}
		cancelled := false
		var meter Meter
		var stats Stats
		synctest.Test(t, func(t *testing.T) { // on a busy machine a call might seem to hang
			ctx, cancel := cancellable()
			defer cancel()
			if bits&contextBit != 0 {
				r = cancelling(r, int(capacity)%5, func() { cancelled = true; cancel() })
			}
			stats, err = Copy(ctx, w, r, Capacity(int(capacity)+1), MaxCall(int(maxCall)+1), WithMeter(&meter))
		})

		got := dst.Bytes()
		if !bytes.Equal(got, pattern.Bytes(0, len(got))) {
			t.Errorf("the %d bytes of the sink differ from those of the source", len(got))
		}
		moved(t, stats, src.Position(), int64(len(got)))
		if m := meter.Stats(); m != stats {
			t.Errorf("the meter has %+v, the stats are %+v", m, stats)
		}
		readTaken, writeTaken := reads[:len(reads)-src.Left()], writes[:len(writes)-dst.Left()]
		calls(t, Source, stats.Source, src.Calls(), readTaken)
		if !plain {
			calls(t, Sink, stats.Sink, dst.Calls(), writeTaken)
		}

		readErr, writeErr := first(readTaken, io.EOF), first(writeTaken, io.ErrUnexpectedEOF)
		if err == nil {
			if readErr != nil && readErr != io.EOF || writeErr != nil {
				t.Errorf("no error after %v of the source and %v of the sink", readErr, writeErr)
			}
			if int64(len(got)) != src.Position() {
				t.Errorf("no error, and %d of %d bytes written", len(got), src.Position())
			}
			return
		}
		said := map[Side]bool{}
		for _, e := range all(t, err) {
			if said[e.Side] {
				t.Errorf("the %v appears twice in %v", e.Side, err)
			}
			said[e.Side] = true
			safe(t, e, int64(len(got)))
			offset := int64(len(got))
			switch e.Side {
			case Source:
				offset = src.Position()
				cause(t, e, readErr)
			case Sink:
				if plain && writeErr == scripted.ErrLie && e.Err == io.ErrShortWrite {
					break // a Write may have written something before
				}
				cause(t, e, writeErr)
			case Neither:
				if !cancelled || !errors.Is(e, errTest) {
					t.Errorf("%v though the context has not ended", e)
				}
			}
			if e.Offset != offset {
				t.Errorf("%v failed at byte %d, not at %d", e.Side, e.Offset, offset)
			}
		}
		// Either the sink or the context may come first. What stopped the sink must
		// be in the error.
		if writeErr != nil && !said[Sink] && !said[Neither] {
			t.Errorf("%v lacks the sink's error, %v", err, writeErr)
		}
		if !said[Sink] && !said[Neither] && int64(len(got)) != src.Position() {
			t.Errorf("the source failed, but only %d of its %d bytes are written", len(got), src.Position())
		}
	})
}

// cancelling returns r, vectored if r is, with a cancel in the call after some
// calls.
func cancelling(r io.Reader, after int, cancel func()) io.Reader {
	tick := func() {
		if after--; after == -1 {
			cancel()
		}
	}
	if v, ok := r.(vectored.Reader); ok {
		return readvFunc(func(bufs [][]byte) (int, error) { tick(); return v.Readv(bufs) })
	}
	return readerFunc(func(b []byte) (int, error) { tick(); return r.Read(b) })
}

// all returns the errors in err, each of which must be an *Error.
func all(t *testing.T, err error) (errs []*Error) {
	t.Helper()
	joined := []error{err}
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		joined = j.Unwrap()
	}
	for _, err := range joined {
		e, ok := err.(*Error)
		if !ok {
			t.Fatalf("%v (%T), want an *Error", err, err)
		}
		errs = append(errs, e)
	}
	return errs
}

// first returns the error of the call with the first failing step.
func first(steps []scripted.Step, end error) error {
	for _, s := range steps {
		if err := s.Err(end); err != nil {
			return err
		}
	}
	return nil
}

// cause fails the test unless e has the script's error.
func cause(t *testing.T, e *Error, want error) {
	t.Helper()
	if want == scripted.ErrLie {
		want = bytering.ErrInvalidCount
	}
	if want == nil || want == io.EOF || !errors.Is(e, want) {
		t.Errorf("%v, want %v", e, want)
	}
}

// calls fails the test unless s counts the calls made. If some system calls were
// repeated, there are fewer calls than system calls.
func calls(t *testing.T, side Side, s SideStats, made int, taken []scripted.Step) {
	t.Helper()
	for _, step := range taken {
		if step.Retried() {
			made--
		}
	}
	if s.Calls != int64(made) {
		t.Errorf("%d calls of the %v, want %d", s.Calls, side, made)
	}
}
