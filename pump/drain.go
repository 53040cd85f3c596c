package pump

import (
	"context"
	"errors"
	"io"
	"os"
)

// drain writes what is in the flow's rings to the sink, until there is no ring
// or the stream ends, which is not an error.
func (f *flow) drain() error {
	if err := f.out.early; err != nil {
		return err
	}
	r, settled := f.next(nil)
	for r != nil {
		if err := f.drainRing(r); err != nil {
			return err
		}
		r, settled = f.next(r)
	}
	if settled {
		return errSettled
	}
	return nil
}

// drainRing writes what is in the ring to the sink until the ring is closed,
// whatever its producer was closed with.
func (f *flow) drainRing(r *ring) (err error) {
	s, c := &f.out, r.c
	defer func() {
		// An error that is neither the sink's nor the consumer's own is the
		// producer's. It ends the stream, even if the consumer is closed after
		// it, and is dropped here. A Discard fails only on a consumer that is
		// closed itself.
		switch end := c.Err(); {
		case s.failed || err == io.ErrClosedPipe && c.Discard(0) != nil:
		case err == os.ErrDeadlineExceeded && end == nil:
		default:
			err = nil
		}
		err = s.closeDirect(err)
	}()
	s.most = s.largest(c.Cap())
	for {
		err := c.Wait(context.Background(), s.direct.Rest())
		switch {
		case err == nil, c.Len() > 0 && !errors.Is(err, os.ErrDeadlineExceeded): // the rest
		case err == io.EOF:
			return nil
		default:
			return err
		}
		if _, err := c.IOSlices(f.onDrain); err != nil {
			return err
		}
		if f.fixed == nil && c.Len() == 0 {
			f.rest()
		}
	}
}
