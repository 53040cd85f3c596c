//go:build interleave

package bytering

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/bytering/bytering/internal/interleave"
)

// A giver is a source of the first n bytes of the stream, at most chunk a read.
type giver struct {
	w            *world
	n, chunk, at int
}

func (g *giver) Read(b []byte) (int, error) {
	if g.at == g.n {
		return 0, io.EOF
	}
	m := min(len(b), g.chunk, g.n-g.at)
	g.w.fill(g.at, m, b)
	g.at += m
	return m, nil
}

// exactFit has nothing but the source to end a ReadFrom: its last byte fills the
// ring.
func exactFit(t *interleave.T) {
	w := ringOf(t, 2, 1, near)
	w.Go("producer", func() {
		if n, err := w.p.ReadFrom(&giver{w, 2, 2, 0}); n != 2 || err != nil {
			w.Fail("ReadFrom: %d, %v", n, err)
		}
	})
	w.Go("onlooker", func() {
		if n := w.p.Free(); n < 0 || n > 2 {
			w.Fail("Free is %d", n)
		}
	})
}

// spillMeets has something happen to a ReadFrom of four bytes through a ring of
// one. What it returns and what the consumer gets is up to then.
func spillMeets(total int, then func(w *world, src *giver, n int, err error), others map[string]func(w *world)) func(*interleave.T) {
	return func(t *interleave.T) {
		w := ringOf(t, 1, 1, near)
		src := &giver{w, total, 2, 0}
		if others["clock"] != nil {
			w.p.setDeadline(5)
		}
		w.Go("producer", func() {
			n, err := w.p.ReadFrom(src)
			then(w, src, int(n), err)
		})
		for _, name := range []string{"consumer", "clock", "third"} {
			if f := others[name]; f != nil {
				w.Go(name, func() { f(w) })
			}
		}
	}
}

// reads has the consumer read to the end, and holds the count against what the
// scenario says at the end.
func reads(want *int) func(w *world) {
	return func(w *world) {
		n, err := w.readAll(w.c, 2)
		w.wantAll(*want, n, err)
	}
}

// spillAndDeadline breaks a ReadFrom off. What it had read comes before what the
// next call writes.
func spillAndDeadline(next func(w *world, from int)) func(*interleave.T) {
	return func(t *interleave.T) {
		total := 0
		spillMeets(3, func(w *world, src *giver, n int, err error) {
			if err != nil && (err != os.ErrDeadlineExceeded || n > src.at) || err == nil && n != 3 {
				w.Fail("ReadFrom: %d of %d, %v", n, src.at, err)
			}
			w.p.setDeadline(0)
			total = src.at + 1
			next(w, src.at)
			w.p.Close()
		}, map[string]func(w *world){
			"consumer": reads(&total),
			"clock":    func(w *world) { w.Advance(10) },
		})(t)
	}
}

func nextWrites(w *world, from int) {
	if n, err := w.p.Write(stream(from, from+1)); n != 1 || err != nil {
		w.Fail("Write: %d, %v", n, err)
	}
}

func nextTries(w *world, from int) {
	for x := w.waiter(); ; x.told(w.p.Notify, 1) {
		n, err := w.p.TryWrite(stream(from, from+1))
		if n == 1 && err == nil {
			return
		}
		if n != 0 || err != nil {
			w.Fail("TryWrite: %d, %v", n, err)
		}
	}
}

func nextWaits(w *world, from int) {
	if err := w.p.Wait(context.Background(), 1); err != nil {
		w.Fail("Wait: %v", err)
	}
	a, b := w.p.Slices()
	w.fill(from, 1, a, b)
	if err := w.p.Commit(1); err != nil {
		w.Fail("Commit: %v", err)
	}
}

func nextReads(w *world, from int) {
	g := &giver{w, from + 1, 1, from}
	if _, err := w.p.ReadFrom(g); err != nil {
		w.Fail("ReadFrom: %v", err)
	}
}

// spillAndClose has a third close the producer: what is counted arrives, and
// nothing else.
func spillAndClose(t *interleave.T) {
	counted, got := 0, 0
	t.Final(func() error {
		if counted != got {
			return fmt.Errorf("%d bytes counted, %d delivered", counted, got)
		}
		return nil
	})
	spillMeets(3, func(w *world, _ *giver, n int, err error) {
		if counted = n; n < 3 && err != io.ErrClosedPipe {
			w.Fail("ReadFrom: %d, %v", n, err)
		}
		w.p.Close()
	}, map[string]func(w *world){
		"consumer": func(w *world) {
			var err error
			if got, err = w.readAll(w.c, 2); err != io.EOF {
				w.Fail("read %d, %v", got, err)
			}
		},
		"third": func(w *world) { w.p.Close() },
	})(t)
}

// spillAndConsumersClose has the consumer take everything and close: that is no
// failure. Where it takes less it is one.
func spillAndConsumersClose(take int) func(*interleave.T) {
	return spillMeets(3, func(w *world, _ *giver, n int, err error) {
		switch {
		case take == 3 && (n != 3 || err != nil):
			w.Fail("ReadFrom of what was all taken: %d, %v", n, err)
		case take < 3 && err != errCustom:
			w.Fail("ReadFrom of which %d were taken: %d, %v", take, n, err)
		}
	}, map[string]func(w *world){
		"consumer": func(w *world) {
			b := make([]byte, 1)
			for at := range take {
				w.c.Read(b)
				w.expect(at, b)
			}
			w.c.CloseWithError(errCustom)
		},
	})
}

// spillAndReset has a second life begin with what the first left beside the ring.
func spillAndReset(t *interleave.T) {
	spillMeets(3, func(w *world, src *giver, n int, err error) {
		w.p.Close()
		w.c.Close()
		w.resetting = true
		if err := Reset(w.p, w.c); err != nil {
			w.Fail("Reset: %v", err)
		}
		w.resetting = false
		w.lives++
		if free := w.p.Free(); free != 1 {
			w.Fail("%d free after Reset", free)
		}
		w.p.TryWrite(stream(0, 1))
		b := make([]byte, 2)
		m, err := w.c.Read(b)
		if w.expect(0, b[:m]); m != 1 || err != nil {
			w.Fail("Read: %d, %v", m, err)
		}
	}, map[string]func(w *world){
		"clock": func(w *world) { w.Advance(10) },
	})(t)
}

// spillAndPanic has the source panic when it has filled the ring and a byte more.
func spillAndPanic(t *interleave.T) {
	w := ringOf(t, 1, 1, near)
	g := &giver{w, 2, 1, 0}
	w.Go("producer", func() {
		func() {
			defer func() {
				if v := recover(); v != nil && v != errCustom {
					panic(v)
				}
			}()
			w.p.ReadFrom(readerFunc(func(b []byte) (int, error) {
				if g.at == g.n {
					w.fill(8, 1, b)
					panic(errCustom)
				}
				return g.Read(b)
			}))
		}()
		nextWrites(w, 2)
		w.p.Close()
	})
	w.Go("consumer", func() { n, err := w.readAll(w.c, 2); w.wantAll(3, n, err) })
}

func spillScenarios(add func(bound int, run func(*interleave.T), name string, args ...any)) {
	add(-1, exactFit, "spill/exact-fit/unbounded")
	add(2, spillAndDeadline(nextWrites), "spill/deadline-then-write")
	add(2, spillAndDeadline(nextTries), "spill/deadline-then-notify-and-trywrite")
	add(2, spillAndDeadline(nextWaits), "spill/deadline-then-wait-and-slices")
	add(2, spillAndDeadline(nextReads), "spill/deadline-then-readfrom")
	add(2, spillAndClose, "spill/third-closes-producer")
	add(3, spillAndConsumersClose(3), "spill/consumer-takes-all-and-closes")
	add(3, spillAndConsumersClose(1), "spill/consumer-takes-one-and-closes")
	add(3, spillAndReset, "spill/reset")
	add(3, spillAndPanic, "spill/panic")
}
