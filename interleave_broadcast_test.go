//go:build interleave

package bytering

import (
	"errors"
	"fmt"
	"io"

	"github.com/bytering/bytering/internal/interleave"
)

// broadcast gives every byte to every consumer.
func broadcast(capacity, consumers, total int) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, capacity, consumers, near)
		w.Go("producer", func() { w.writeAll(total, total); w.p.Close() })
		for i, c := range w.cs {
			w.Go(fmt.Sprint("consumer", i), func() {
				n, err := w.readAll(c, 2)
				w.wantAll(total, n, err)
			})
		}
	}
}

// closeHolding closes a consumer from elsewhere while it uses its slices: the
// producer keeps off them, and goes on afterwards.
func closeHolding(take func(w *world) (a, b []byte)) func(*interleave.T) {
	return func(t *interleave.T) { closeWhileHolding(t, take) }
}

func holdSlices(w *world) (a, b []byte) { return w.c.Slices() }

func holdPeek(w *world) (a, b []byte) {
	a, err := w.c.Peek(1)
	if err != nil && err != io.ErrClosedPipe {
		w.Fail("Peek: %v", err)
	}
	return a, nil
}

func closeWhileHolding(t *interleave.T, take func(w *world) (a, b []byte)) {
	w := ringOf(t, 2, 2, near)
	w.p.Write(stream(0, 2))
	w.cs[1].Read(make([]byte, 2))
	w.Go("producer", func() {
		n, err := w.p.Write(stream(2, 4))
		if n != 2 || err != nil {
			w.Fail("wrote %d, %v", n, err)
		}
	})
	w.Go("holder", func() {
		a, b := take(w)
		w.use(0, len(a)+len(b), a, b)
		w.use(0, len(a)+len(b), a, b)
		if err := w.c.Discard(0); err != nil && err != io.ErrClosedPipe {
			w.Fail("Discard: %v", err)
		}
	})
	w.Go("closer", func() { w.c.Close() })
	w.Go("reader", func() {
		b := make([]byte, 2)
		for at := 2; at < 4; {
			n, _ := w.cs[1].Read(b)
			w.expect(at, b[:n])
			at += n
		}
	})
}

// closeReading closes a consumer from elsewhere in the midst of its Read.
func closeReading(t *interleave.T) {
	w := ringOf(t, 1, 2, near)
	w.Go("producer", func() {
		if n, err := w.writeAll(3, 3); n != 3 || err != nil {
			w.Fail("wrote %d, %v", n, err)
		}
		w.p.Close()
	})
	w.Go("closed", func() {
		if n, err := w.readAll(w.c, 1); err != io.ErrClosedPipe && (n != 3 || err != io.EOF) {
			w.Fail("read %d, %v", n, err)
		}
	})
	w.Go("reader", func() { n, err := w.readAll(w.cs[1], 1); w.wantAll(3, n, err) })
	w.Go("closer", func() { w.c.Close() })
}

// lastBroadcastCloses ends the producer once all consumers are closed.
func lastBroadcastCloses(t *interleave.T) {
	w := ringOf(t, 1, 2, near)
	w.Go("producer", func() {
		if n, err := w.writeAll(3, 3); n == 3 || !errors.Is(err, errCustom) {
			w.Fail("wrote %d, %v", n, err)
		}
	})
	w.Go("first", func() { w.cs[0].CloseWithError(errCustom) })
	w.Go("second", func() { w.cs[1].Read(make([]byte, 1)); w.cs[1].Close() })
}
