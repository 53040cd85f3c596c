package pump

import (
	"errors"
	"runtime"

	"github.com/bytering/bytering/internal/seam"
)

// errExited is the error of a function that did not return.
var errExited = errors.New("pump: panic or runtime.Goexit")

// An outcome is how a function on a goroutine of its own has ended.
type outcome struct {
	err      error // what it returned, or errExited
	panicked any   // what it panicked with
}

// spawn runs f on a goroutine of its own, and posts a token once it has ended.
func spawn(f func() error, wake seam.Token) <-chan outcome {
	ended := make(chan outcome, 1)
	go func() {
		o := outcome{err: errExited}
		defer func() {
			o.panicked = recover()
			ended <- o
			seam.Post(wake)
		}()
		o.err = f()
	}()
	return ended
}

// pass ends its caller as the function has ended, unless that returned.
func (o outcome) pass() {
	switch {
	case o.panicked != nil:
		panic(o.panicked)
	case o.err == errExited:
		runtime.Goexit()
	}
}
