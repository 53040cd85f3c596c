package bytering

import (
	"io"
	"os"
	"time"

	"github.com/bytering/bytering/internal/seam"
)

// A deadline is the time at which the calls of a half that park give up, in
// nanoseconds of [seam.Now], or 0 for none. Any goroutine sets it.
type deadline struct{ seam.Uint64 }

func (d *deadline) passed() bool {
	at := d.Load()
	return at != 0 && d.late(at, seam.Now())
}

// late reports whether the deadline at has passed by now, and was still the
// deadline then: between the two loads it may have been put off.
func (d *deadline) late(at, now uint64) bool { return at <= now && d.Load() == at }

// watch makes sure that a sleep ends at the deadline, and returns
// os.ErrDeadlineExceeded if that has passed. The half is armed, so that setting
// the deadline after the load here wakes it.
//
// The first wait under a deadline makes the timer. It is left running when the
// call returns, for the next one that waits: it only posts a token, and a
// spurious token is legal. But after a close it would keep the token from the
// garbage collector until it went off. A Close sets the closed bit, then stops
// the timer; the owner sets the timer, then looks at the bit. So whichever comes
// first, the timer is stopped in the end.
func (h *half) watch() error {
	d := &h.shared.deadline
	at := d.Load()
	if at == 0 {
		return nil
	}
	now := seam.Now()
	late := d.late(at, now)
	if !late && at != h.timerSetTo {
		h.timer.Set(h.shared.target.token, now, at)
		h.timerSetTo = at
	}
	switch {
	case h.closed(): // a deadline ends nothing any more
		h.timer.Stop()
		return nil
	case late:
		return os.ErrDeadlineExceeded
	}
	return nil
}

func (h *half) setDeadline(at uint64) error {
	if h.closed() {
		return io.ErrClosedPipe
	}
	h.shared.deadline.Store(at)
	h.shared.target.wake()
	return nil
}

// overdue reports whether a call that parks must not even begin. Without a
// deadline that costs a load and no call.
func (h *half) overdue() bool { return h.shared.deadline.Load() != 0 && h.late() }

func (h *half) late() bool { return h.shared.deadline.passed() && !h.side.ended() }

// SetWriteDeadline sets the time at which the producer's calls that park,
// Write, WriteString, WriteByte, ReadFrom and the waits, fail with
// os.ErrDeadlineExceeded instead of blocking. It applies to the running call and
// to all that follow; the zero time removes it. Any goroutine may call it at any
// time. It never blocks, and it fails only after the producer's own Close, with
// io.ErrClosedPipe.
//
// A call that begins after the deadline does nothing, even if there is space or
// nothing to write. A call that is parked first takes the space that is there,
// and Write returns how many bytes it published. The deadline is checked when a
// call starts and before it parks, so ReadFrom may run past it while it finds
// space. The end of the stream takes precedence over the deadline.
//
// The ring stays usable: set a later deadline, or none, and go on.
func (p *Producer) SetWriteDeadline(t time.Time) error { return p.setDeadline(seam.Moment(t)) }

// SetReadDeadline sets the time at which the consumer's calls that park, Read,
// ReadByte, Peek, WriteTo and Wait, fail with os.ErrDeadlineExceeded instead of
// blocking. It applies to the running call and to all that follow; the zero time
// removes it. Any goroutine may call it at any time. It never blocks, and it
// fails only after the consumer's own Close, with io.ErrClosedPipe.
//
// A call that begins after the deadline does nothing, even if there is something
// to read or nothing was asked for. A call that is parked first takes what is
// there, and Peek returns that with the error. The deadline is checked when a
// call starts and before it parks, so WriteTo may run past it while it finds
// bytes. The end of the stream takes precedence over the deadline.
//
// The ring stays usable: set a later deadline, or none, and go on.
func (c *Consumer) SetReadDeadline(t time.Time) error { return c.setDeadline(seam.Moment(t)) }
