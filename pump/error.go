package pump

import (
	"fmt"
)

// A Side is the part of a copy that an [Error] comes from.
type Side int

// What ended a copy.
const (
	Neither Side = iota // the context, at neither end
	Source              // what is read
	Sink                // what is written
)

func (s Side) String() string {
	switch s {
	case Neither:
		return "neither"
	case Source:
		return "source"
	case Sink:
		return "sink"
	}
	return fmt.Sprintf("Side(%d)", int(s))
}

// A Direction is one of the two streams of a [Relay].
type Direction int

// The streams of Relay(ctx, a, b). An error of [Copy] has neither.
const (
	ToB Direction = 1 + iota // from a to b
	ToA                      // from b to a
)

func (d Direction) String() string {
	switch d {
	case ToB:
		return "a to b"
	case ToA:
		return "b to a"
	}
	return fmt.Sprintf("Direction(%d)", int(d))
}

// An Error says why a copy ended early, and what is safe.
type Error struct {
	Side Side
	// Direction is the stream of a Relay that failed, or 0 for a Copy.
	Direction Direction
	// Local and Remote are the addresses of the end that failed. They are nil for
	// a Copy, for Neither, and for an end that has no addresses. Each is a
	// net.Addr.
	Local, Remote interface {
		Network() string
		String() string
	}
	// Offset is where in the stream the side failed, counted from the start of
	// the copy. For the source it is the number of bytes that it had returned.
	// For the sink and for Neither it is the number of bytes that the sink
	// had accepted.
	Offset int64
	// Written is the number of bytes that the sink has accepted.
	Written int64
	// Pending is the most bytes that a write may still put into the sink because
	// it could not be interrupted and was left behind. If it is 0, Written is
	// exact.
	Pending int64
	// Err is the error that the side returned, or the cause of the context. If
	// another goroutine closed a half of a ring given with [Ring], the side of
	// that half has failed, and Err is the error that the other half then
	// reports, or io.ErrClosedPipe.
	Err error
}

func (e *Error) Error() string {
	text := "pump: "
	if e.Direction != 0 {
		text += e.Direction.String() + ": "
	}
	if e.Side == Neither {
		text += "stopped"
	} else {
		text += fmt.Sprintf("%v%s failed at byte %d", e.Side, e.end(), e.Offset)
	}
	least := ""
	if e.Pending > 0 {
		least = "at least "
	}
	return fmt.Sprintf("%s: %v; %s%d bytes written", text, e.Err, least, e.Written)
}

// end names the end of a Relay that failed.
func (e *Error) end() string {
	name := ""
	switch {
	case e.Direction == 0:
		return ""
	case (e.Direction == ToB) == (e.Side == Source):
		name = " a"
	default:
		name = " b"
	}
	switch {
	case e.Local != nil && e.Remote != nil:
		return fmt.Sprintf("%s (%v->%v)", name, e.Local, e.Remote)
	case e.Local != nil:
		return fmt.Sprintf("%s (%v)", name, e.Local)
	case e.Remote != nil:
		return fmt.Sprintf("%s (%v)", name, e.Remote)
	}
	return name
}

func (e *Error) Unwrap() error { return e.Err }

// reason returns e for the consumers of a ring that don't belong to the copy.
// It leaves out the counts, because they may not be final.
func (e *Error) reason() error {
	if e.Side == Neither {
		return fmt.Errorf("pump: stopped: %w", e.Err)
	}
	return fmt.Errorf("pump: %v failed: %w", e.Side, e.Err)
}
