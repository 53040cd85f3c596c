package interleave

import (
	"fmt"
	"iter"
	"runtime/debug"
)

type thread struct {
	name        string
	id          int
	worker      *worker
	pending     op
	result      bool // of a Take
	done        bool
	ownChanges  int // operations of its own that changed something
	seenChanges int // changes by others when it last went round a spin loop
	clock       vectorClock
}

// A worker is a coroutine that runs one thread after another, each in a schedule of
// its own. Making a new one costs as much as five switches.
type worker struct {
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
	job   func()
}

func newWorker() *worker {
	w := &worker{}
	w.next, w.stop = iter.Pull(func(yield func(struct{}) bool) {
		w.yield = yield
		for {
			w.job()
			if !yield(struct{}{}) {
				return
			}
		}
	})
	return w
}

// Go declares a thread. It starts once the scenario has returned.
func (t *T) Go(name string, f func()) {
	if len(t.threads) == maxThreads {
		panic("interleave: too many threads")
	}
	e, id := t.search, len(t.threads)
	if len(e.workers) == id {
		e.workers = append(e.workers, newWorker())
	}
	th := &thread{name: name, id: id, worker: e.workers[id]}
	th.clock[id] = 1
	t.threads = append(t.threads, th)
	th.worker.job = func() {
		defer t.ended(th)
		f()
	}
}

// ended is deferred by a thread's function.
func (t *T) ended(th *thread) {
	th.done = true
	switch v := recover().(type) {
	case nil, unwound:
	case failed:
		t.fail(string(v))
	default:
		t.fail(fmt.Sprintf("panic in %s: %v\n%s", th.name, v, debug.Stack()))
	}
}

// unwind ends the threads that have not ended, by panics. Their deferred calls run,
// in which operations act at once.
func (t *T) unwind() {
	t.stopped = true
	for _, th := range t.threads {
		if !th.done && th.started() {
			th.worker.next()
		}
	}
}

// started reports whether the thread's function has begun. Then its first operation
// is pending.
func (th *thread) started() bool { return th.pending.kind != opStart }

// stop ends the coroutines, all of which are between two threads.
func (e *explorer) stop() {
	for _, w := range e.workers {
		w.stop()
	}
}

// world is the schedule that runs now, or nil outside of Explore. It needs no lock,
// because coroutines take turns and only one exploration runs at a time.
var world *T

// point lets the scheduler decide before the operation o. It returns the thread when
// its turn comes, or nil if no thread runs.
func point(o op) *thread {
	t := world
	if t == nil || t.current == nil || t.stopped {
		return nil
	}
	th := t.current
	if o.obj != nil {
		o.obj.renew(t)
	}
	th.pending = o
	t.current = nil
	if t.started {
		t.schedule()
	}
	// Most often the same thread goes on, which takes no switch.
	if !t.started || t.over || t.chosen.thread != th.id {
		th.worker.yield(struct{}{})
		if t.stopped {
			panic(unwound{})
		}
	}
	t.current = th
	if o.kind.changes() {
		t.changes++
		th.ownChanges++
	}
	if o.kind == opSpin {
		th.seenChanges = t.changes - th.ownChanges
	}
	return th
}

// resume lets th do its pending operation and go on until another thread is chosen
// or th has ended.
func (t *T) resume(th *thread) {
	t.current = th
	th.worker.next()
	t.current = nil
}
