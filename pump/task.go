package pump

import (
	"errors"
	"runtime"
	"sync"
)

// errExited is the error of a task that did not return.
var errExited = errors.New("pump: panic or runtime.Goexit")

// A task is a function on a goroutine of its own.
type task struct {
	ended    chan struct{} // closed when it has
	err      error         // of the function, once it has
	panicked any           // what it panicked with

	mu   sync.Mutex
	over bool // the function has ended
	left bool // nobody waits for it any more
}

func newTask() *task { return &task{ended: make(chan struct{})} }

// run runs f. A panic is kept for who waits; if nobody does it ends the process.
func (t *task) run(f func() error) {
	t.err = errExited
	defer close(t.ended)
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.over = true
		if !t.left {
			t.panicked = recover()
		}
	}()
	t.err = f()
}

// pass lets its caller end as the task has, unless that returned or is left
// behind.
func (t *task) pass() {
	select {
	case <-t.ended:
	default:
		return
	}
	switch {
	case t.panicked != nil:
		panic(t.panicked)
	case t.err == errExited:
		runtime.Goexit()
	}
}
