//go:build interleave

package bytering

import (
	"context"
	"io"
	"os"

	"github.com/bytering/bytering/internal/interleave"
)

// The scenarios' clock begins at 1, and goes on where they say so.

// wantLate fails unless a call of a half whose deadline was at came to nothing
// because of it, and not before it.
func (w *world) wantLate(n int, err error, at uint64) {
	if n != 0 || err != os.ErrDeadlineExceeded {
		w.Fail("%d, %v; want the deadline", n, err)
	}
	if now := w.Moment(); now < at {
		w.Fail("the deadline %d has passed at %d", at, now)
	}
}

// parks is a call of a half that parks for ever, with the setter of its
// deadline: of a reader in an empty ring, or a writer in a full one.
func parks(w *world, reader bool) (call func() (int, error), set func(uint64) error) {
	if reader {
		return func() (int, error) { return w.c.Read(make([]byte, 1)) }, w.c.setDeadline
	}
	w.p.TryWrite(stream(0, w.p.Cap()))
	return func() (int, error) { return w.p.Write(stream(w.p.Cap(), w.p.Cap()+1)) }, w.p.setDeadline
}

// alone has nothing but the deadline to end a call.
func alone(reader bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 1, 1, near)
		call, set := parks(w, reader)
		set(5)
		w.Go("parked", func() { n, err := call(); w.wantLate(n, err, 5) })
		w.Go("clock", func() { w.Advance(10) })
	}
}

// closedUnderDeadline closes a half whose call has parked under a deadline and come
// back, or is about to. Its timer must not be left running.
func closedUnderDeadline(reader, own bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 1, 1, near)
		call, set := parks(w, reader)
		set(5)
		half := io.Closer(w.p)
		if reader {
			half = w.c
		}
		w.Go("parked", func() {
			call()
			if own {
				half.Close()
			}
		})
		w.Go("other", func() {
			if reader {
				w.p.TryWrite(stream(0, 1))
			} else {
				w.c.Discard(1)
			}
			if !own {
				half.Close()
			}
		})
	}
}

// setWhileParked sets one deadline after the other under a call, the last of
// which ends it.
func setWhileParked(reader bool, ats ...uint64) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 1, 1, near)
		call, set := parks(w, reader)
		w.Go("parked", func() { n, err := call(); w.wantLate(n, err, ats[len(ats)-1]) })
		w.Go("setter", func() {
			for _, at := range ats {
				set(at)
			}
			w.Advance(ats[len(ats)-1])
		})
	}
}

// putOff sets another deadline before the first has passed, which then must
// not end the call.
func putOff(reader bool, at uint64) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 1, 1, near)
		call, set := parks(w, reader)
		set(5)
		w.Go("parked", func() {
			if n, err := call(); n != 1 || err != nil {
				w.Fail("%d, %v", n, err)
			}
		})
		w.Go("setter", func() {
			set(at)
			w.Advance(10)
			if reader {
				w.p.Write(stream(0, 1))
			} else {
				w.c.Read(make([]byte, 1))
			}
		})
	}
}

// setAgain lets deadlines fire in a row.
func setAgain(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("consumer", func() {
		for _, at := range []uint64{5, 15, 10, 20} {
			w.c.setDeadline(at)
			n, err := w.c.Read(make([]byte, 1))
			w.wantLate(n, err, at)
		}
		w.c.setDeadline(0)
		w.p.TryWrite(stream(0, 1))
		if n, err := w.c.Read(make([]byte, 1)); n != 1 || err != nil {
			w.Fail("%d, %v", n, err)
		}
	})
	w.Go("clock", func() { w.Advance(10); w.Advance(10) })
}

// commitThenDeadline and discardThenDeadline let the deadline pass only when a
// wait has come to an end already.
func commitThenDeadline(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.c.setDeadline(5)
	w.Go("consumer", func() {
		if err := w.c.await(context.Background(), exactly(1)); err != nil {
			w.Fail("%v with %d there", err, w.c.Len())
		}
	})
	w.Go("producer", func() { w.p.TryWrite(stream(0, 1)); w.Advance(10) })
}

func discardThenDeadline(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.p.TryWrite(stream(0, 1))
	w.p.setDeadline(5)
	w.Go("producer", func() {
		if err := w.p.await(context.Background(), exactly(1)); err != nil {
			w.Fail("%v with %d free", err, w.p.Free())
		}
	})
	w.Go("consumer", func() { w.c.Discard(1); w.Advance(10) })
}

// deadlineOfRead breaks off a Read, which loses nothing.
func deadlineOfRead(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.c.setDeadline(5)
	w.Go("producer", func() { w.writeAll(2, 2); w.p.Close() })
	w.Go("consumer", func() {
		at, err := w.readAll(w.c, 1)
		if err == os.ErrDeadlineExceeded {
			w.wantLate(0, err, 5)
			w.c.setDeadline(0)
			var n int
			b := make([]byte, 1)
			for err = nil; err == nil; at += n {
				n, err = w.c.Read(b)
				w.expect(at, b[:n])
			}
		}
		w.wantAll(2, at, err)
	})
	w.Go("clock", func() { w.Advance(10) })
}

// deadlineOfWrite breaks off a Write, which counts what it wrote.
func deadlineOfWrite(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.p.setDeadline(5)
	wrote := 0
	w.Go("producer", func() {
		var err error
		if wrote, err = w.p.Write(stream(0, 3)); wrote < 3 {
			w.wantLate(0, err, 5)
		}
		w.p.Close()
	})
	w.Go("consumer", func() { n, err := w.readAll(w.c, 1); w.wantAll(wrote, n, err) })
	w.Go("clock", func() { w.Advance(10) })
}

// deadlineOfPeek gives what is there.
func deadlineOfPeek(t *interleave.T) {
	w := ringOf(t, 3, 1, near)
	w.Go("producer", func() { w.writeAll(3, 2) })
	w.Go("consumer", func() {
		switch b, err := w.c.Peek(3); {
		case err == os.ErrDeadlineExceeded && len(b) < 3, err == nil && len(b) == 3:
			w.expect(0, b)
			w.c.Discard(len(b))
		default:
			w.Fail("Peek: %d bytes, %v", len(b), err)
		}
	})
	w.Go("setter", func() { w.c.setDeadline(5); w.Advance(10) })
}

func deadlineOfStreams(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.p.setDeadline(5)
	wrote := int64(0)
	w.Go("producer", func() {
		at := 0
		var err error
		wrote, err = w.p.ReadFrom(readerFunc(func(b []byte) (int, error) {
			if at == 3 {
				return 0, io.EOF
			}
			w.fill(at, 1, b)
			at++
			return 1, nil
		}))
		if err != nil {
			w.wantLate(0, err, 5)
		}
		w.p.Close()
	})
	w.Go("consumer", func() {
		at := 0
		write := writerFunc(func(b []byte) (int, error) {
			w.use(at, len(b), b)
			at += len(b)
			return len(b), nil
		})
		w.c.setDeadline(5)
		_, err := w.c.WriteTo(write)
		if err != nil {
			w.wantLate(0, err, 5)
			w.c.setDeadline(0)
			_, err = w.c.WriteTo(write)
		}
		if err != nil || int64(at) != wrote {
			w.Fail("WriteTo: %v, %d of %d", err, at, wrote)
		}
	})
	w.Go("clock", func() { w.Advance(10) })
}

// deadlineAndCloses ends parked calls of both halves from several sides.
func deadlineAndCloses(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.c.setDeadline(5)
	w.Go("consumer", func() {
		if n, err := w.c.Read(make([]byte, 1)); n != 0 || err != io.EOF && err != os.ErrDeadlineExceeded {
			w.Fail("Read: %d, %v", n, err)
		}
		if err := w.c.setDeadline(0); err != nil {
			w.Fail("SetReadDeadline: %v", err)
		}
		if n, err := w.c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			w.Fail("Read: %d, %v", n, err)
		}
	})
	w.Go("third", func() {
		w.Advance(10)
		w.p.Close()
		if err := w.p.setDeadline(5); err != io.ErrClosedPipe {
			w.Fail("SetWriteDeadline: %v", err)
		}
	})
}

// closedBefore closes a half that is parked under a deadline that never passes,
// so that its timer must be stopped at rest.
func closedBefore(reader bool) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 1, 1, near)
		call, set := parks(w, reader)
		set(5)
		w.Go("parked", func() {
			if n, err := call(); n != 0 || err != io.ErrClosedPipe {
				w.Fail("%d, %v", n, err)
			}
		})
		w.Go("closer", func() {
			if reader {
				w.c.Close()
			} else {
				w.p.Close()
			}
		})
	}
}

// overdueAndCloses begins calls late: no byte moves, but an end is told.
func overdueAndCloses(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	w.p.TryWrite(stream(0, 1))
	w.p.setDeadline(1)
	w.c.setDeadline(1)
	w.Go("producer", func() {
		if n, err := w.p.Write(stream(1, 2)); n != 0 || err != os.ErrDeadlineExceeded && err != errCustom {
			w.Fail("Write: %d, %v", n, err)
		}
		ended := w.p.Err() != nil
		switch err := w.p.Wait(context.Background(), 2); err {
		case os.ErrDeadlineExceeded:
			if ended {
				w.Fail("Wait: %v after the end", err)
			}
		case nil, errCustom: // there is space enough, also after the end
			if w.p.Err() == nil {
				w.Fail("Wait: %v before the end", err)
			}
		default:
			w.Fail("Wait: %v", err)
		}
	})
	w.Go("consumer", func() {
		if n, err := w.c.Read(make([]byte, 1)); n != 0 || err != os.ErrDeadlineExceeded {
			w.Fail("Read: %d, %v", n, err)
		}
		if n, err := w.c.TryRead(make([]byte, 1)); n != 1 || err != nil {
			w.Fail("TryRead: %d, %v", n, err)
		}
		w.c.CloseWithError(errCustom)
		if _, err := w.c.Read(make([]byte, 1)); err != io.ErrClosedPipe {
			w.Fail("Read: %v", err)
		}
		if w.c.overdue() {
			w.Fail("a deadline comes before the end")
		}
	})
}

// deadlineAndContext ends a Wait by whatever comes first.
func deadlineAndContext(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	ctx, cancel := context.WithCancelCause(context.Background())
	w.c.setDeadline(5)
	w.Go("consumer", func() {
		switch err := w.c.Wait(ctx, 2); {
		case err == os.ErrDeadlineExceeded:
			w.wantLate(0, err, 5)
		case err == errCustom && ctx.Err() != nil:
		case err == nil && w.c.Len() == 2:
		default:
			w.Fail("Wait: %v", err)
		}
	})
	w.Go("clock", func() { w.Advance(10) })
	w.Go("canceller", func() { w.Step("cancel", func() { cancel(errCustom) }) })
	w.Go("producer", func() { w.p.Write(stream(0, 2)) })
}

// deadlineOfBroadcast breaks off one of two consumers, which then closes.
func deadlineOfBroadcast(t *interleave.T) {
	w := ringOf(t, 1, 2, near)
	w.Go("producer", func() {
		if n, err := w.writeAll(2, 2); n != 2 || err != nil {
			w.Fail("wrote %d, %v", n, err)
		}
		w.p.Close()
	})
	w.Go("late", func() {
		w.c.setDeadline(5)
		switch n, err := w.readAll(w.c, 1); err {
		case os.ErrDeadlineExceeded:
			w.c.Close()
		default:
			w.wantAll(2, n, err)
		}
	})
	w.Go("reader", func() { n, err := w.readAll(w.cs[1], 1); w.wantAll(2, n, err) })
	w.Go("clock", func() { w.Advance(10) })
}

func deadlineScenarios(add func(bound int, run func(*interleave.T), name string, args ...any)) {
	add(-1, alone(true), "deadline-of-parked-reader/unbounded")
	add(-1, alone(false), "deadline-of-parked-writer/unbounded")
	for _, ats := range [][]uint64{{1}, {5}, {20, 5}, {5, 20}, {0, 5}} {
		add(4, setWhileParked(true, ats...), "deadline-set-while-parked/reader/%d", ats)
		add(4, setWhileParked(false, ats...), "deadline-set-while-parked/writer/%d", ats)
	}
	add(3, putOff(true, 0), "deadline-cleared-while-parked/reader")
	add(3, putOff(false, 0), "deadline-cleared-while-parked/writer")
	add(3, putOff(true, 90), "deadline-put-off-while-parked/reader")
	add(3, putOff(false, 90), "deadline-put-off-while-parked/writer")
	for _, own := range []bool{false, true} {
		add(4, closedUnderDeadline(true, own), "deadline-then-close/reader/own=%t", own)
		add(4, closedUnderDeadline(false, own), "deadline-then-close/writer/own=%t", own)
	}
	add(4, setAgain, "deadline-set-again-after-it-fired")
	add(4, commitThenDeadline, "deadline-after-commit")
	add(4, discardThenDeadline, "deadline-after-discard")
	add(2, deadlineOfRead, "deadline-of-read-while-written")
	add(2, deadlineOfWrite, "deadline-of-write-while-read")
	add(2, deadlineOfPeek, "deadline-of-peek")
	add(2, deadlineOfStreams, "deadline-of-readfrom-and-writeto")
	add(3, deadlineAndCloses, "deadline-and-third-closes")
	add(-1, closedBefore(false), "closed-before-the-deadline/producer")
	add(-1, closedBefore(true), "closed-before-the-deadline/consumer")
	add(3, overdueAndCloses, "deadline-passed-and-third-closes")
	add(2, deadlineAndContext, "deadline-and-context")
	add(1, deadlineOfBroadcast, "deadline-of-broadcast")
}
