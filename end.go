package bytering

import (
	"context"
	"os"
)

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
		never := p.ring.size + 1 // free bytes that there can't be
		if err := p.await(ctx, never, never); err != nil {
			return err
		}
	}
	return p.Err()
}

// WaitSoft is [Producer.Wait] for a producer that wants n bytes of space and could
// use fewer, as a Write does. It also returns nil when any space is free and a
// consumer waits for more bytes than it has: it may wait for those that the
// producer would put there. So the two never wait for each other, whatever n is.
// Ask [Producer.Free] how much there is. WaitSoft of 0 never waits, and returns
// what Wait returns.
func (p *Producer) WaitSoft(ctx context.Context, n int) error {
	p.enter()
	defer p.leave()
	if err := p.ring.checkRange(n); err != nil {
		return err
	}
	if p.overdue() {
		return os.ErrDeadlineExceeded
	}
	if n > 0 {
		_, err := p.flush(ctx, n)
		if err == nil && !p.ready(n) {
			err = p.awaitSoft(ctx, n)
		}
		if err != nil {
			return err
		}
	}
	return p.Err()
}

// awaitSoft is await for want bytes, or any where a consumer waits. Unlike a
// Write it may begin while some are free, so it looks at the consumers itself
// after it has armed: one that waited before that does not look again. What
// disarms it with less than want bytes free is a consumer that waits, which is not
// always seen any more. A token that came without that was sent for an earlier
// wait, and is no reason to go on.
func (p *Producer) awaitSoft(ctx context.Context, want int) error {
	r := p.ring
	r.space.withdraw()
	target := p.target(want)&goal | armed | soft
	for {
		r.space.Store(target)
		ready, err := p.ready(want) || p.free(1) > 0 && r.starving(), error(nil)
		if !ready {
			if err = p.watch(); err == nil {
				err = r.lot.sleep(ctx)
			}
			woken := r.space.Load() != target
			if ready = p.ready(want) || woken && p.ready(1); ready && err == nil {
				p.linger(want)
			}
		}
		if ready {
			err = nil
		}
		if ready || err != nil {
			r.space.Store(0)
			return err
		}
	}
}
