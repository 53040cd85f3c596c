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
