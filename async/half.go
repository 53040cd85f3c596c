package async

import (
	"errors"
	"io"
	"time"

	"github.com/bytering/bytering"
)

// A half is a half of the ring, as the window uses both.
type half interface {
	Slices() (a, b []byte)
	Cap() int
	Pin()
	Unpin()

	// advance gives the first n bytes of Slices to the other half.
	advance(n int) error
	// over returns why nothing can be moved any more, or nil.
	over() error
	// more waits until Slices has n bytes, or an event. It reports whether there
	// never will be that many, because the stream has ended. While no operation is
	// under way the other half may be waiting for this one: then fewer will do,
	// where it can use them.
	more(e events, n int, alone bool) (ended bool, err error)
	// reason returns the error at the end of the stream, or io.EOF.
	reason() error
	// idle waits for an event. Both return errEvent after one.
	idle(e events) error
}

// filling is the producer of Fill.
type filling struct{ *bytering.Producer }

func (f filling) advance(n int) error { return f.Commit(n) }
func (f filling) over() error         { return f.Err() }
func (f filling) reason() error       { return io.EOF }

func (f filling) more(e events, n int, alone bool) (bool, error) {
	if alone {
		return false, f.WaitSoft(e, n)
	}
	return false, f.Wait(e, n)
}

func (f filling) idle(e events) error { return f.WaitEnd(e) }

// draining is the consumer of Drain and DrainParts.
type draining struct{ *bytering.Consumer }

func (d draining) advance(n int) error { return d.Discard(n) }
func (d draining) over() error         { return nil }
func (d draining) reason() error       { return d.Err() }

func (d draining) more(e events, n int, _ bool) (bool, error) {
	err := d.Wait(e, n)
	if err == nil || err == errEvent {
		return false, err
	}
	// The deadline, or the end. At the end the producer's error may be any, so
	// the error does not tell which.
	if d.Notify(n, func() {}) {
		d.Disarm()
		return false, err
	}
	a, b := d.Slices()
	return len(a)+len(b) < n, nil
}

// At the end of the stream the consumer has nothing to wait for, so only events
// are left. A Close of it from elsewhere is found after the next one.
func (d draining) idle(e events) error {
	<-e.token
	return errEvent
}

// events is a context that a wait for the ring can be given, so that a token ends
// it. It is done whenever the token is there, which the wait then takes. So a
// wait for the ring and for operations allocates nothing, and the goroutine that
// owns the half is the only one that touches it.
type events struct{ token chan struct{} }

var errEvent = errors.New("async: an operation has ended")

func (e events) Deadline() (time.Time, bool) { return time.Time{}, false }
func (e events) Done() <-chan struct{}       { return e.token }
func (e events) Err() error                  { return errEvent }
func (e events) Value(any) any               { return nil }
