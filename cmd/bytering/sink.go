package main

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/pump"
)

// A sink is one output.
type sink struct {
	*end
	c    *bytering.Consumer
	out  io.Writer // what writes to it
	gone func()    // tells what waits for it that it gets no more

	placed *placed        // what writes to it instead of out, at depth, or nil
	direct pump.SideStats // what placed wrote direct

	whole int // bytes that each write has, but the last; 0 for any

	n       atomic.Int64          // bytes that it has accepted
	calling atomic.Int64          // bytes that a call under way was given
	over    atomic.Bool           // it gets no more
	pending int64                 // the most that a call that was left behind may still put there
	err     error                 // why it failed
	cause   atomic.Pointer[error] // why it was stopped
}

// A digest is a hash of what is moved.
type digest struct {
	name string
	hash hash.Hash
	c    *bytering.Consumer
}

// errOthers is why the source stops when no sink is left, or when one has
// failed and all are to stop then.
var errOthers = errors.New("an output failed")

// fan copies to several sinks and sums. Each has a consumer of the ring, and
// the slowest sets the pace. A sink that fails is left out.
func (s *stream) fan(ctx context.Context, in io.Reader, opts []pump.Option) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var summing sync.WaitGroup
	for _, h := range s.sums {
		summing.Go(func() { h.c.WriteTo(h.hash) })
	}
	over := make(chan *sink, len(s.sinks))
	for _, k := range s.sinks {
		go func() {
			k.drain(ctx, s.block.bytes)
			over <- k
		}()
	}
	copied := make(chan error, 1)
	go func() { copied <- s.feed(ctx, in, opts) }()

	var err error
	var late <-chan time.Time
	ended, copying := ctx.Done(), true
	for left := len(s.sinks); left > 0 || copying; {
		select {
		case k := <-over:
			if left--; k.err != nil && (left == 0 || s.stopAll) {
				cancel(errOthers)
			}
		case err = <-copied:
			copying = false
		case i := <-s.left:
			s.sinks[i].stop(syscall.EPIPE)
		case <-ended:
			for _, k := range s.sinks {
				k.stop(context.Cause(ctx))
			}
			ended, late = nil, time.After(closing)
		case <-late:
			for _, k := range s.sinks {
				if !k.over.Load() && k.stored == nil { // an upload says what is left of it
					k.pending = k.underWay(s.deepBlock.bytes)
					left--
				}
			}
			late = nil
			if copying && s.deep() { // a read that can't be interrupted is left behind
				s.p.CloseWithError(context.Cause(ctx))
				copying = false
			}
		}
	}
	summing.Wait()
	switch cause := context.Cause(ctx); {
	case cause == errOthers: // the outputs report their errors themselves
		return nil
	case cause != nil && err == nil:
		return &pump.Error{Side: pump.Neither, Err: cause}
	}
	return err
}

// drain writes the stream, at most block bytes a call, until it ends or the sink fails or
// is stopped.
func (k *sink) drain(ctx context.Context, block int) {
	switch w := (&tallied{around(k.out), k, block}); {
	case k.stored != nil:
		k.drainStored(ctx)
	case k.placed != nil:
		k.drainPlaced()
	case k.whole > 0:
		writeBlocks(k.c, w, k.whole)
	default:
		k.c.WriteTo(w)
	}
	switch cause := k.cause.Load(); {
	case cause == nil:
	case readerGone(*cause):
		k.err = *cause
	case errors.Is(k.err, os.ErrDeadlineExceeded): // by which it was stopped
		k.err = nil
	}
	k.c.Close()
	k.gone()
	k.over.Store(true)
}

// drainStored has an upload take what comes. The failure of the source, which is at
// the end of the ring, and the end of the context are not the sink's.
func (k *sink) drainStored(ctx context.Context) {
	n, err := k.stored.drain(ctx, k.c)
	k.n.Store(n)
	a, b := k.c.Slices()
	k.c.Discard(len(a) + len(b))
	for _, why := range []error{k.c.Err(), context.Cause(ctx)} {
		if why != nil && why != io.EOF && errors.Is(err, why) {
			return
		}
	}
	k.err = err
}

// stop ends drain, at once if a write can be interrupted. An upload ends with the
// context, and must not be told of an end in the ring.
func (k *sink) stop(cause error) {
	if k.stored != nil {
		return
	}
	if k.cause.CompareAndSwap(nil, &cause) {
		if d, ok := k.out.(interface{ SetWriteDeadline(time.Time) error }); ok {
			d.SetWriteDeadline(time.Unix(1, 0))
		}
		k.c.CloseWithError(cause)
	}
}

// A tallied writes to a sink, and keeps its count and its error.
type tallied struct {
	*layer
	k     *sink
	block int // the most that a call moves
}

func (w *tallied) Writev(bufs [][]byte) (int, error) {
	offered := 0
	for _, b := range bufs {
		offered += len(b)
	}
	if offered > w.block && w.k.whole == 0 {
		bufs, offered = cut(bufs, int64(w.block)), w.block
	}
	w.k.calling.Store(int64(offered))
	n, err := w.writev(bufs)
	w.k.n.Add(int64(n))
	w.k.calling.Store(0)
	if err != nil {
		w.k.err = err
	}
	return n, err
}

func (w *tallied) Write(b []byte) (int, error) { return writeAll(w, b) }

// nowhere takes everything at once.
type nowhere struct{}

func (nowhere) Write(b []byte) (int, error) { return len(b), nil }

// closing is how long closing the source may take. Nothing depends on it.
const closing = 250 * time.Millisecond

// closeAll closes the ends after the copy has ended with err. It returns what went
// wrong; each error is a line.
func (s *stream) closeAll(err error) (errs []error) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		s.source.close()
	}()
	var failed *pump.Error
	if !errors.As(err, &failed) && err != nil {
		errs = append(errs, err)
	}
	interrupted := failed != nil && failed.Side == pump.Neither
	var lost []error
	for _, k := range s.sinks {
		var why error
		if k.pending == 0 {
			// Some file systems report a failed write only in close.
			why = k.end.finish(k.err == nil && !interrupted, s.fsync)
		}
		if k.err != nil {
			why = k.err
		}
		var refused *failure
		switch {
		case errors.As(why, &refused) && refused.code == exitRefused: // it took nothing
			lost = append(lost, why)
		case why != nil:
			lost = append(lost, sinkFailed(k.end, s.timedOut("write", k.end, why), k.safe()))
		}
	}
	select {
	case <-closed:
	case <-time.After(closing): // a read was left behind in it
	}
	if interrupted {
		errs = append(errs, stopped(failed.Err, s.safe()))
	}
	errs = append(errs, lost...)
	if failed != nil && failed.Side == pump.Source && (len(errs) == 0 || s.several()) {
		failed.Err = s.timedOut("read", s.source.cur, failed.Err)
		errs = append(errs, s.source.failure(failed, s.safe()))
	}
	if len(errs) == 0 {
		errs = s.source.short(s.atMost, s.safe())
	}
	for _, k := range s.sinks {
		if k.stored != nil && k.stored.left != "" {
			errs = append(errs, goOn(k.stored.left))
		}
	}
	return errs
}

// safe returns a text with how many bytes the sink has accepted. While a write
// is pending it says "at least".
func (k *sink) safe() string {
	least := ""
	if k.pending > 0 {
		least = "at least "
	}
	return fmt.Sprintf("%s%d bytes written to %s", least, k.accepted(), k.name)
}

// safe returns a text with how many bytes each sink has accepted.
func (s *stream) safe() string {
	text := ""
	for i, k := range s.sinks {
		if i > 0 {
			text += ", "
		}
		text += k.safe()
	}
	return text
}
