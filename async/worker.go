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

// A worker runs operations, one after another, with its context.
type worker struct {
	*engine
	block *block // in flight, or nil; guarded by the engine's mutex

	ctx    context.Context
	cancel context.CancelCauseFunc
	watch  stallTimer
}

// renew gives the worker a new context. It is cancelled at once if the operation is not
// needed any more. The caller holds the mutex.
func (w *worker) renew() {
	w.ctx, w.cancel = context.WithCancelCause(context.WithValue(w.engine.ctx, progressKey{}, w))
	w.check()
}

// check interrupts the operation if it is not needed any more: it may have begun, or
// got its context, after the others were interrupted. The caller holds the mutex.
func (w *worker) check() {
	if w.block != nil && (w.halted != nil || w.block.from >= w.window.end) {
		w.cancel(errStopped)
	}
}

// revive gives the worker a new context if its call has stalled, and reports whether
// it has.
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
	w.revive() // the last call may have stalled just when it returned
	w.watch.begin(w)
}

func (w *worker) loop() {
	for b := range w.work {
		w.do(b)
	}
}

// do runs one operation. If that panics or calls runtime.Goexit, the call ends in the
// same way.
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

// giveBack takes the block back from the operation.
func (e *engine) giveBack(b *block) {
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

// finish counts n bytes of the block, and ends the stream behind them. This is one
// step: between two the next block could be committed, if the bytes complete this one.
func (w *worker) finish(b *block, n int, err error) {
	wanted := w.wanted()
	w.mu.Lock()
	b.done += int64(n)
	if wanted {
		w.stopLocked(b.from+b.done, err)
	}
	w.mu.Unlock()
	w.post()
}

// fail ends the stream at the first missing byte of the block, unless the operation was
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

// maxEmptyReads is how many times in a row a source may return 0 and nil, as in package
// bufio.
const maxEmptyReads = 100

// transfer reads or writes a block with f, which is a ReadAt or a WriteAt.
func (w *worker) transfer(blk *block, reads bool, f func(ctx context.Context, b []byte, off int64) (int, error)) {
	defer w.giveBack(blk)
	fails, empty := 0, 0
	for blk.from+blk.done < blk.to && w.wanted() {
		b := blk.mem.from(blk.done)
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
			w.finish(blk, n, err)
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

// again returns nil if an operation that failed with err is to be tried again, after
// the wait before that. Otherwise it returns why the operation has failed.
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

// Progress reports to [Stall] that an operation has moved bytes. ctx is the context of
// the operation, or derived from it. A source or sink calls Progress if one of its
// calls can take long while bytes are moving. With any other ctx it does nothing.
func Progress(ctx context.Context) {
	if w, ok := ctx.Value(progressKey{}).(*worker); ok {
		w.watch.progress()
	}
}

type progressKey struct{}

// A stallTimer ends the context of a worker when its call has moved nothing for the
// time of Stall.
type stallTimer struct {
	mu   sync.Mutex
	t    *time.Timer
	on   bool // a call is in flight
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
