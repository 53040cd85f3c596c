package async

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/bytering/bytering"
)

// A worker runs operations, one after another. Its context is theirs.
type worker struct {
	*engine
	block *block // under way, or nil; under the engine's mutex

	ctx    context.Context
	cancel context.CancelCauseFunc
	watch  stallTimer
}

// renew gives the worker a context that has not ended, unless the operation is
// not needed any more.
func (w *worker) renew() {
	w.ctx, w.cancel = context.WithCancelCause(context.WithValue(w.engine.ctx, progressKey{}, w))
	w.check()
}

// check interrupts an operation that is not needed any more: that was not under
// way yet, or under another context, when the others were interrupted.
func (w *worker) check() {
	if w.block != nil && (w.halted != nil || w.block.from >= w.window.end) {
		w.cancel(errStopped)
	}
}

// revive gives the worker another context if a call of it has stalled, and
// reports whether one has.
func (w *worker) revive() bool {
	if context.Cause(w.ctx) != ErrStalled {
		return false
	}
	w.mu.Lock()
	w.renew()
	w.mu.Unlock()
	return true
}

// begin begins a call.
func (w *worker) begin() {
	w.revive() // one that has stalled in the moment when it returned
	w.watch.begin(w)
}

func (w *worker) loop() {
	for b := range w.work {
		w.do(b)
	}
}

// do runs one operation. If it does not return, the call ends as it does.
func (w *worker) do(b *block) {
	w.mu.Lock()
	w.block = b
	w.check()
	w.mu.Unlock()
	returned := false
	defer func() {
		if !returned {
			v := recover()
			w.watch.end()
			w.mu.Lock()
			if w.engine.crash == nil {
				w.engine.crash = &crash{v}
			}
			w.mu.Unlock()
			w.halt(errStopped)
		}
		w.mu.Lock()
		w.block = nil
		w.mu.Unlock()
		w.post()
	}()
	w.run(w, b)
	returned = true
}

// over takes the block back from the operation.
func (e *engine) over(b *block) {
	e.mu.Lock()
	e.window.release(b)
	e.mu.Unlock()
	e.post()
}

// moved counts n bytes of the block that are complete.
func (e *engine) moved(b *block, n int) {
	e.mu.Lock()
	b.done += int64(n)
	e.mu.Unlock()
	e.post()
}

// last counts n bytes of the block, and ends the stream behind them. It is one
// step: if they complete the block, the next one could be committed.
func (w *worker) last(b *block, n int, err error) {
	wanted := w.wanted()
	w.mu.Lock()
	b.done += int64(n)
	if wanted {
		w.end(b.from+b.done, err)
	}
	w.mu.Unlock()
	w.post()
}

// fail ends the stream where the block is incomplete, unless the operation was
// interrupted because it is not needed any more.
func (w *worker) fail(b *block, err error) {
	if w.wanted() {
		w.stop(b.from+b.done, err)
	}
}

// wanted reports whether the operation is still needed.
func (w *worker) wanted() bool {
	return w.engine.ctx.Err() == nil && context.Cause(w.ctx) != errStopped
}

func invalidCount(n, offered int) error {
	return fmt.Errorf("%w: %d for %d bytes", bytering.ErrInvalidCount, n, offered)
}

// maxEmptyReads is how often in a row a source may return nothing at all, as in
// package bufio.
const maxEmptyReads = 100

// transfer reads or writes a block by calls of f, which moves b at an offset.
func (w *worker) transfer(blk *block, reads bool, f func(ctx context.Context, b []byte, off int64) (int, error)) {
	defer w.over(blk)
	fails, empty := 0, 0
	for blk.from+blk.done < blk.to && w.wanted() {
		b := blk.lent.from(blk.done)
		w.begin()
		n, err := f(w.ctx, b, w.offset+blk.from+blk.done)
		w.watch.end()
		if n < 0 || n > len(b) {
			w.fail(blk, errors.Join(invalidCount(n, len(b)), err))
			return
		}
		if n > 0 {
			fails, empty = 0, 0
		}
		ends := err == io.EOF && reads
		if ends {
			err = errEnd
		}
		if ends || err != nil && blk.from+blk.done+int64(n) == blk.to {
			w.last(blk, n, err)
			return
		}
		w.moved(blk, n)
		switch {
		case err != nil:
		case !reads && n < len(b):
			err = io.ErrShortWrite
		case n == 0:
			if empty++; empty == maxEmptyReads {
				err, empty = io.ErrNoProgress, 0
			}
		}
		if err == nil {
			continue
		}
		fails++
		if err = w.again(err, fails); err != nil {
			w.fail(blk, err)
			return
		}
	}
}

// again returns nil, when it is time, if an operation that failed is to be tried
// again, and otherwise why it has failed.
func (w *worker) again(err error, attempt int) error {
	if !w.wanted() {
		return err
	}
	if w.revive() {
		err = fmt.Errorf("%w: nothing moved for %v", ErrStalled, w.stall)
	}
	if w.retry == nil {
		return err
	}
	wait, again := w.retry(err, attempt)
	if !again {
		return err
	}
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-w.ctx.Done():
			return err
		}
	}
	w.mu.Lock()
	w.retries++
	w.mu.Unlock()
	return nil
}

// Progress tells that the operation whose context is ctx, or one that ctx is
// derived from, has moved something, for [Stall]. A source or sink whose one call
// takes long calls it as bytes come and go.
func Progress(ctx context.Context) {
	if w, ok := ctx.Value(progressKey{}).(*worker); ok {
		w.watch.progress()
	}
}

type progressKey struct{}

// A stallTimer ends the context of a worker whose call moves nothing for long.
type stallTimer struct {
	mu   sync.Mutex
	t    *time.Timer
	on   bool // a call is under way
	last time.Time
}

func (s *stallTimer) begin(w *worker) {
	if w.stall == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on, s.last = true, time.Now()
	if s.t == nil {
		s.t = time.AfterFunc(w.stall, func() { s.fire(w) })
	} else {
		s.t.Reset(w.stall)
	}
}

func (s *stallTimer) progress() {
	s.mu.Lock()
	s.last = time.Now()
	s.mu.Unlock()
}

func (s *stallTimer) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on = false
	if s.t != nil {
		s.t.Stop()
	}
}

func (s *stallTimer) fire(w *worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.on {
		return
	}
	if left := w.stall - time.Since(s.last); left > 0 {
		s.t.Reset(left)
		return
	}
	w.cancel(ErrStalled)
}
