//go:build interleave

package bytering

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/bytering/bytering/internal/interleave"
)

func closeWithError(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("producer", func() { w.p.CloseWithError(errCustom) })
	w.Go("consumer", func() {
		if n, err := w.readAll(w.c, 1); n != 0 || err != errCustom {
			w.Fail("read %d, %v", n, err)
		}
	})
}

func consumerCloses(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("producer", func() {
		n, err := w.writeAll(3, 3)
		if n > 2 || err != errCustom || w.p.Err() != errCustom {
			w.Fail("wrote %d, %v", n, err)
		}
	})
	w.Go("consumer", func() {
		var b [1]byte
		w.c.Read(b[:])
		w.expect(0, b[:])
		w.c.CloseWithError(errCustom)
	})
}

func producerCloses(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("producer", func() { w.p.Close() })
	w.Go("consumer", func() {
		n, err := w.readAll(w.c, 1)
		w.wantAll(0, n, err)
	})
}

// thirdClosesProducer closes it at every point: what Write counted arrives.
func thirdClosesProducer(capacity, total int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, capacity, 1, near)
		wrote, read := 0, 0
		w.Go("producer", func() {
			var err error
			wrote, err = w.writeAll(total, 2)
			if wrote < total && err != io.ErrClosedPipe {
				w.Fail("wrote %d, %v", wrote, err)
			}
		})
		w.Go("consumer", func() {
			var err error
			if read, err = w.readAll(w.c, 2); err != io.EOF {
				w.Fail("read %d, %v", read, err)
			}
		})
		w.Go("third", func() { w.p.Close() })
		w.Final(func() error {
			if wrote != read {
				return fmt.Errorf("%d bytes counted, %d delivered", wrote, read)
			}
			return nil
		})
	}
}

func thirdClosesConsumer(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("producer", func() {
		if n, err := w.writeAll(2, 2); err != errCustom && n < 2 {
			w.Fail("wrote %d, %v", n, err)
		}
		if err := w.p.Wait(context.Background(), 1); err != errCustom && err != nil {
			w.Fail("Wait: %v", err)
		}
	})
	w.Go("consumer", func() {
		if _, err := w.readAll(w.c, 1); err != io.ErrClosedPipe {
			w.Fail("Read: %v", err)
		}
	})
	w.Go("third", func() { w.c.CloseWithError(errCustom) })
}

func thirdClosesHalves(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("producer", func() {
		if n, err := w.writeAll(2, 2); n < 2 && err == nil {
			w.Fail("wrote %d, %v", n, err)
		}
	})
	w.Go("consumer", func() { w.readAll(w.c, 1) })
	w.Go("third", func() { w.p.Close(); w.c.Close() })
}

func bothClosers(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	other := errors.New("other")
	w.Go("first", func() { w.p.CloseWithError(errCustom) })
	w.Go("second", func() { w.p.CloseWithError(other) })
	w.Go("consumer", func() {
		_, err := w.readAll(w.c, 1)
		if err != errCustom && err != other || err != w.c.Err() {
			w.Fail("Read: %v, Err: %v", err, w.c.Err())
		}
	})
}

func closeParkedSelf(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.p.Write(stream(0, 1))
	w.Go("producer", func() {
		if n, err := w.p.Write(stream(1, 2)); n != 0 || err != io.ErrClosedPipe {
			w.Fail("wrote %d, %v", n, err)
		}
	})
	w.Go("third", func() { w.p.Close() })
}

func cancelConsumer(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	ctx, cancel := context.WithCancelCause(context.Background())
	w.Go("producer", func() { w.writeAll(2, 1) })
	w.Go("consumer", func() {
		switch err := w.c.Wait(ctx, 2); {
		case err == nil && w.c.Len() < 2:
			w.Fail("Wait returned with %d there", w.c.Len())
		case err != nil && err != errCustom:
			w.Fail("Wait: %v", err)
		}
		for at := range 2 {
			var b [1]byte
			w.c.Read(b[:])
			w.expect(at, b[:])
		}
	})
	w.Go("canceller", func() { w.Step("cancel", func() { cancel(errCustom) }) })
}

func cancelProducer(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	ctx, cancel := context.WithCancelCause(context.Background())
	w.p.Write(stream(0, 2))
	w.Go("producer", func() {
		switch err := w.p.Wait(ctx, 2); {
		case err == nil && w.p.Free() < 2:
			w.Fail("Wait returned with %d free", w.p.Free())
		case err != nil && err != errCustom:
			w.Fail("Wait: %v", err)
		}
		w.p.Write(stream(2, 3))
		w.p.Close()
	})
	w.Go("consumer", func() {
		n, err := w.readAll(w.c, 1)
		w.wantAll(3, n, err)
	})
	w.Go("canceller", func() { w.Step("cancel", func() { cancel(errCustom) }) })
}

// cancelAfterCommit cancels when the bytes are there already: a wait that has
// what it wants does not fail.
func cancelAfterCommit(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	ctx, cancel := context.WithCancel(context.Background())
	w.Go("producer", func() { w.writeAll(2, 1); w.Step("cancel", cancel) })
	w.Go("consumer", func() {
		if err := w.c.Wait(ctx, 2); err != nil {
			w.Fail("Wait: %v", err)
		}
	})
}

// takeOneAndLeave frees a byte and does nothing else: the discard alone must
// wake the producer.
func takeOneAndLeave(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	w.Go("producer", func() {
		if n, err := w.p.Write(stream(0, 2)); n != 2 || err != nil {
			w.Fail("wrote %d, %v", n, err)
		}
	})
	w.Go("consumer", func() { w.c.Read(make([]byte, 1)) })
}
