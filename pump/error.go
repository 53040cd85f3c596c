package pump

import "fmt"

// A Side is one end of a copy.
type Side int

// What ended a copy.
const (
	Context Side = iota // neither side, but the context
	Source              // what is read
	Sink                // what is written
)

func (s Side) String() string {
	switch s {
	case Context:
		return "context"
	case Source:
		return "source"
	case Sink:
		return "sink"
	}
	return fmt.Sprintf("Side(%d)", int(s))
}

// An Error says why a copy ended early, and what is safe.
type Error struct {
	Side Side
	// Offset is where in the stream, counted from the beginning of the copy,
	// the side failed: how many bytes the source had returned, or the sink had
	// accepted; the latter too if the context ended.
	Offset int64
	// Written is how many bytes the sink has accepted.
	Written int64
	// Pending is how many more a write may still put into the sink that could
	// not be interrupted and was left behind, at most. It is 0 if Written is
	// exact.
	Pending int64
	// Err is what the side returned, or the cause of the context. If a half of a
	// ring given with [Ring] was closed by another goroutine, the side of that
	// half has failed, with what the other half then says, or io.ErrClosedPipe.
	Err error
}

func (e *Error) Error() string {
	text := "pump: stopped"
	if e.Side != Context {
		text = fmt.Sprintf("pump: %v failed at byte %d", e.Side, e.Offset)
	}
	least := ""
	if e.Pending > 0 {
		least = "at least "
	}
	return fmt.Sprintf("%s: %v; %s%d bytes written", text, e.Err, least, e.Written)
}

func (e *Error) Unwrap() error { return e.Err }

// reason is e for the consumers of a ring that don't belong to the copy. It has
// no counts, which may not be final.
func (e *Error) reason() error {
	if e.Side == Context {
		return fmt.Errorf("pump: stopped: %w", e.Err)
	}
	return fmt.Errorf("pump: %v failed: %w", e.Side, e.Err)
}
