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
	// Err is what the side returned, or the cause of the context.
	Err error
}

func (e *Error) Error() string {
	what := fmt.Sprintf("pump: %v failed at byte %d", e.Side, e.Offset)
	if e.Side == Context {
		what = "pump: stopped"
	}
	least := ""
	if e.Pending > 0 {
		least = "at least "
	}
	return fmt.Sprintf("%s: %v; %s%d bytes written", what, e.Err, least, e.Written)
}

func (e *Error) Unwrap() error { return e.Err }
