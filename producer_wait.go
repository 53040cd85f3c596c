package bytering

import (
	"context"
	"os"
)

// Wait parks until n bytes are free. With an n of 0 it never blocks. Wait returns
// the first of these that holds, when it begins or later:
//
//   - an error that wraps [ErrRange]: n is negative or above the capacity;
//   - what [Producer.Err] returns, if that is not nil;
//   - os.ErrDeadlineExceeded: the deadline had passed when Wait began, whatever
//     is free;
//   - nil: n bytes are free, even if ctx has ended;
//   - os.ErrDeadlineExceeded or the cause of ctx, as soon as either ends.
//
// So a loop that fills the ring in place ends with the consumers. See
// [Producer.WaitEmpty] for a wait until everything was taken.
func (p *Producer) Wait(ctx context.Context, n int) error { return p.wait(ctx, exactly(n)) }

// WaitSoft is like [Producer.Wait], for a producer that wants n bytes of space
// but could use fewer, as a Write does. It also returns nil when any space is free
// and a consumer waits for more bytes than it has, since those may be the ones
// that the producer would put there. So the two never wait for each other,
// whatever n is. Call [Producer.Free] for how much there is. WaitSoft of 0 never
// blocks, and returns what Wait returns.
func (p *Producer) WaitSoft(ctx context.Context, n int) error {
	return p.wait(ctx, demand{need: n, want: n, share: true})
}

func (p *Producer) wait(ctx context.Context, d demand) error {
	p.enter()
	defer p.leave()
	if err := p.ring.checkRange(d.want); err != nil {
		return err
	}
	if p.overdue() {
		return os.ErrDeadlineExceeded
	}
	if d.want > 0 {
		_, err := p.flush(ctx, d.want)
		if err == nil && !p.ready(d.want) {
			err = p.await(ctx, d)
		}
		if err != nil {
			return err
		}
	}
	return p.Err()
}

// WaitEnd parks until [Producer.Err] is not nil, and returns that, however much
// space is free. It is for a producer that waits for its input, and should stop
// waiting when the consumers are closed. Like any call that parks it withdraws
// what [Producer.Notify] or [Producer.Ready] has armed. It returns
// os.ErrDeadlineExceeded or the cause of ctx as soon as either ends.
func (p *Producer) WaitEnd(ctx context.Context) error {
	p.enter()
	defer p.leave()
	if p.overdue() {
		return os.ErrDeadlineExceeded
	}
	if !p.ended() {
		never := p.ring.size + 1 // more bytes than can be free
		if err := p.await(ctx, exactly(never)); err != nil {
			return err
		}
	}
	return p.Err()
}

// WaitEmpty parks until the consumers have taken everything that was published.
// It may also be called after the producer's own Close, to find out whether the
// last bytes have arrived. A closed consumer counts for as long as it limits the
// producer: see [Consumer.Limits]. WaitEmpty returns the first of these that
// holds, when it begins or later:
//
//   - os.ErrDeadlineExceeded: the deadline had passed when WaitEmpty began, before
//     the producer's Close;
//   - nil: everything was taken, even if the consumers were closed since, or
//     one of several took everything before all were closed;
//   - the consumer's error, or io.ErrClosedPipe, or with several consumers their
//     errors joined: they are closed and have not taken everything;
//   - os.ErrDeadlineExceeded, before the producer's Close, or the cause of ctx, as
//     soon as either ends.
//
// Bytes that a ReadFrom has read and could not publish are published first; after
// the producer's Close they are dropped.
func (p *Producer) WaitEmpty(ctx context.Context) error {
	p.enter()
	defer p.leave()
	if p.overdue() {
		return os.ErrDeadlineExceeded
	}
	if _, err := p.flush(ctx, 0); err != nil && !p.ended() {
		return err
	}
	p.draining = true
	defer func() { p.draining = false }()
	all := p.ring.size
	if !p.ready(all) {
		if err := p.await(ctx, exactly(all)); err != nil {
			return err
		}
	}
	if p.free(all) == all || p.taken() > 0 {
		return nil
	}
	return p.peersErr()
}

// taken returns how many consumers have taken everything that was published.
func (p *Producer) taken() (n int) {
	for _, c := range p.ring.consumers {
		if c.cursor.Load()&cursorMask == p.pos {
			n++
		}
	}
	return n
}
