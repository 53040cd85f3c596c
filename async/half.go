package async

import (
	"errors"
	"io"
	"time"

	"github.com/bytering/bytering"
)

// A half is what the engine needs of a producer or a consumer.
type half interface {
	Slices() (a, b []byte)
	Cap() int
	Pin()
	Unpin()

	// advance gives the first n bytes of Slices to the other half.
	advance(n int) error
	// err returns why nothing can be moved any more, or nil.
	err() error
	// await waits until Slices has n bytes. ended means that it never will, because
	// the stream has ended. If idle is true no operation is in flight, so the other
	// half may be waiting for this one: then await returns with fewer bytes if the
	// other half can use them. After an event await returns errEvent.
	await(e events, n int, idle bool) (ended bool, err error)
	// batch returns how many bytes to wait for, for a while, where an operation could
	// begin with fewer, but none is in flight. The other half is slower then, and should
	// not have to wake this one for each block.
	batch() int
	// awaitEvent waits for an event and returns errEvent, or for the end.
	awaitEvent(e events) error
	// end returns the error at the end of the stream, or io.EOF.
	end() error
}

// filling is the producer of Fill.
type filling struct{ *bytering.Producer }

func (f filling) advance(n int) error { return f.Commit(n) }
func (f filling) err() error          { return f.Err() }
func (f filling) end() error          { return io.EOF }

func (f filling) await(e events, n int, idle bool) (bool, error) {
	if idle {
		return false, f.WaitSoft(e, n)
	}
	return false, f.Wait(e, n)
}

func (f filling) batch() int { return f.Cap() / 4 }

func (f filling) awaitEvent(e events) error { return f.WaitEnd(e) }

// draining is the consumer of Drain and DrainParts.
type draining struct{ *bytering.Consumer }

func (d draining) advance(n int) error { return d.Discard(n) }
func (d draining) err() error          { return nil }
func (d draining) end() error          { return d.Err() }

func (d draining) await(e events, n int, _ bool) (bool, error) {
	err := d.Wait(e, n)
	if err == nil || err == errEvent {
		return false, err
	}
	// The deadline has passed, or the stream has ended. The error does not tell
	// which, because it can be any of the producer's.
	if d.Notify(n, func() {}) {
		d.Disarm()
		return false, err
	}
	a, b := d.Slices()
	return len(a)+len(b) < n, nil
}

func (d draining) batch() int { return 0 }

// awaitEvent waits for an event alone. A consumer has no way to wait for its own
// Close, which is found after the next event.
func (d draining) awaitEvent(e events) error {
	<-e.token
	return errEvent
}

// An events is a context for a wait on the ring that a token ends. The wait takes the
// token. So waiting for the ring and for operations at once allocates nothing, and
// only the goroutine that owns the half uses it.
type events struct{ token chan struct{} }

var errEvent = errors.New("async: an event has ended the wait")

func (e events) Deadline() (time.Time, bool) { return time.Time{}, false }
func (e events) Done() <-chan struct{}       { return e.token }
func (e events) Err() error                  { return errEvent }
func (e events) Value(any) any               { return nil }
