package bytering

import (
	"io"
	"os"
	"time"

	"github.com/bytering/bytering/internal/seam"
)

// A deadline is the moment at which the calls of a half that park give up, in
// nanoseconds of [seam.Now], or 0 for never. Any goroutine sets it.
type deadline struct {
	at seam.Uint64
}

// passed tells whether it has.
func (d *deadline) passed() bool {
	at := d.at.Load()
	return at != 0 && d.late(at, seam.Now())
}

// late tells whether the deadline at has passed by now, and still was the
// deadline when it did: between the two loads somebody may have put it off.
func (d *deadline) late(at, now uint64) bool { return at <= now && d.at.Load() == at }

// An alarm is the timer that ends a sleep at the half's deadline. The first
// call that waits under one makes it. It is left running when the call
// returns, for the next one that waits: when it goes off it posts a token and
// touches nothing else, and a spurious token is legal.
type alarm struct {
	timer seam.Timer
	at    uint64 // what the timer was last set for
}

// stop stops the timer of a half that is closed: until it went off it would keep
// the token from the garbage collector. Any goroutine may call it. A Close sets
// the closed bit, then stops. The owner sets the timer, then looks at the bit.
// So whichever comes first, the timer is stopped in the end.
func (a *alarm) stop() { a.timer.Stop() }

// watch makes sure that a sleep of the producer ends at its deadline.
func (p *Producer) watch() error {
	err := p.alarm.watch(&p.ring.deadline, p.ring.lot.token)
	if p.ring.deadline.at.Load() != 0 && p.closed() { // a deadline ends nothing any more
		p.alarm.stop()
		err = nil
	}
	return err
}

// watch makes sure that a sleep of the consumer ends at its deadline.
func (c *Consumer) watch() error {
	err := c.alarm.watch(&c.reader.deadline, c.reader.lot.token)
	if c.alarm.at != 0 && c.closed() {
		c.alarm.stop()
	}
	return err
}

// watch makes sure that a sleep for the token ends at d, and returns
// os.ErrDeadlineExceeded if d has passed. Its caller is armed, so that who
// sets d after the load here wakes it.
func (a *alarm) watch(d *deadline, token seam.Token) error {
	at := d.at.Load()
	if at == 0 {
		return nil
	}
	now := seam.Now()
	if d.late(at, now) {
		return os.ErrDeadlineExceeded
	}
	if at != a.at {
		a.timer.Set(token, now, at)
		a.at = at
	}
	return nil
}

// SetWriteDeadline sets the moment at which the producer's calls that park,
// Write, WriteString, WriteByte, ReadFrom and Wait, fail with
// os.ErrDeadlineExceeded in place of waiting. It holds for the call that is
// running and for all that follow; the zero time takes it away. Any goroutine
// may call it at any time. It never waits, and fails only after the producer's
// own Close, with io.ErrClosedPipe.
//
// A call that begins after the deadline does nothing, also where there is
// space, or nothing to write. One that is parked first takes the space that is
// there, and Write tells how many bytes it published. The deadline is looked at
// when a call begins and when it would park: ReadFrom passes it by for as long
// as it finds space. An end of the stream, being final, is told before it.
//
// The ring is none the worse for it: set a later deadline, or none, and go on.
func (p *Producer) SetWriteDeadline(t time.Time) error { return p.setDeadline(seam.Moment(t)) }

func (p *Producer) setDeadline(at uint64) error {
	if p.closed() {
		return io.ErrClosedPipe
	}
	p.ring.deadline.at.Store(at)
	p.ring.lot.wake(&p.ring.space)
	return nil
}

// overdue tells whether a call that parks must not even begin. Where there is
// no deadline that costs a load and no call.
func (p *Producer) overdue() bool { return p.ring.deadline.at.Load() != 0 && p.late() }

func (p *Producer) late() bool { return p.ring.deadline.passed() && !p.ended() }

// SetReadDeadline sets the moment at which the consumer's calls that park,
// Read, ReadByte, Peek, WriteTo and Wait, fail with os.ErrDeadlineExceeded in
// place of waiting. It holds for the call that is running and for all that
// follow; the zero time takes it away. Any goroutine may call it at any time.
// It never waits, and fails only after the consumer's own Close, with
// io.ErrClosedPipe.
//
// A call that begins after the deadline does nothing, also where there is
// something to read, or nothing is asked for. One that is parked first takes
// what is there, and Peek returns that with the error. The deadline is looked at
// when a call begins and when it would park: WriteTo passes it by for as long as
// it finds bytes. An end of the stream, being final, is told before it.
//
// The ring is none the worse for it: set a later deadline, or none, and go on.
func (c *Consumer) SetReadDeadline(t time.Time) error { return c.setDeadline(seam.Moment(t)) }

func (c *Consumer) setDeadline(at uint64) error {
	if c.closed() {
		return io.ErrClosedPipe
	}
	c.reader.deadline.at.Store(at)
	c.reader.lot.wake(&c.reader.data)
	return nil
}

// overdue tells whether a call that parks must not even begin.
func (c *Consumer) overdue() bool { return c.reader.deadline.at.Load() != 0 && c.late() }

func (c *Consumer) late() bool { return c.reader.deadline.passed() && c.Err() == nil }
