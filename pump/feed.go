package pump

import (
	"context"
	"errors"
	"io"

	"github.com/bytering/bytering/vectored"
)

const (
	// smallBuffer is the size of a read that waits without a ring, or that is
	// made while the ring is full.
	smallBuffer = 512
	// largestCall is the most that one call is offered.
	largestCall = 1 << 20
	// maxEmptyReads is how often in a row a source may return nothing at all.
	maxEmptyReads = 100
)

// An offering is the memory that is offered to a source that reads into the
// rings of a pool.
type offering struct {
	small  []byte // made when it is first needed
	bufs   [2][]byte
	size   int  // how many bytes the last read was offered
	inRing bool // it was space of the ring, and not small
	half   bool // and that was half of the ring
	filled bool // it has filled what it was offered

	forwards int // since the source has waited

	// Of a PollReader.
	refused   bool            // no attempt may begin
	onAttempt func() [][]byte // attempt and blocked, as values
	onBlocked func()
}

// feed reads the source into rings until its end.
func (f *flow) feed() error {
	defer func() {
		f.resume() // also if the source has panicked
		if r := f.feeding; r != nil && !r.used {
			f.feeding = nil
			r.back()
		}
	}()
	for empty := 0; empty < maxEmptyReads; empty++ {
		n, err := f.read()
		if n > 0 {
			empty = -1
			if lost := f.publish(n); lost != nil {
				return lost
			}
		} else if f.inRing {
			f.feeding.p.Commit(0)
		}
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// read reads once. A PollReader says when it would block. Any other source may
// block in each read, so it reads into the ring only if it has filled what it was
// offered before, and probably has more.
func (f *flow) read() (n int, err error) {
	s := &f.in
	if s.poll != nil {
		n, err = s.poll.ReadvFunc(f.onAttempt, f.onBlocked)
		f.resume()
		if f.refused {
			return 0, errStopped
		}
	} else {
		var bufs [][]byte
		if f.filled {
			bufs = f.offer()
		} else {
			f.blocked()
			bufs = f.offerSmall(max(1, f.capacity/2))
		}
		if err := s.begin(f.size); err != nil {
			return 0, err
		}
		n, err = s.read(bufs)
		f.resume()
	}
	f.filled = n == f.size
	return s.end(n, f.size, err)
}

// attempt begins an attempt of a PollReader, and returns the memory that it may
// fill. After stop it returns nil.
func (f *flow) attempt() [][]byte {
	f.resume()
	bufs := f.offer()
	if f.refused = f.in.begin(f.size) != nil; f.refused {
		return nil
	}
	return bufs
}

// offer returns the memory that the next read may fill: space of the ring, or
// small memory if there is none.
func (f *flow) offer() [][]byte {
	if f.feeding == nil {
		r, err := f.lend(min(f.capacity, f.smallest))
		if err != nil {
			return f.offerSmall(smallBuffer) // publish reports it
		}
		f.feeding = r
	}
	room := f.in.boundary.Room()
	if f.feeding.used && (f.filled && f.half || f.feeding.p.Free() < room) {
		f.grow()
	}
	p := f.feeding.p
	a, b := p.Slices()
	if len(a)+len(b) < room {
		p.Commit(0)
		return f.offerSmall(smallBuffer)
	}
	f.bufs = [2][]byte{a, b}
	bufs := f.bufs[:]
	if !f.in.vectored || len(b) == 0 {
		bufs = bufs[:1]
	}
	most := f.in.largest(p.Cap())
	if !f.feeding.used { // no sink needs the other half yet
		most = f.in.atMost()
	}
	bufs, f.size = clip(bufs, max(room, most))
	f.inRing, f.half = true, f.size >= p.Cap()/2
	return bufs
}

// offerSmall returns small memory of up to n bytes, or of the size that a
// message needs.
func (f *flow) offerSmall(n int) [][]byte {
	room := f.in.boundary.Room()
	if f.small == nil {
		f.small = make([]byte, max(smallBuffer, room))
	}
	f.size = max(room, min(n, smallBuffer, f.in.maxCall))
	f.inRing, f.half = false, false
	f.bufs[0] = f.small[:f.size:f.size]
	return f.bufs[:1]
}

// publish gives the sink the n bytes of the last read.
func (f *flow) publish(n int) (err error) {
	f.count(n)
	if f.inRing {
		if err := f.feeding.p.Commit(n); err != nil || f.feeding.used {
			return err
		}
		return f.handOver()
	}
	if f.feeding == nil {
		if f.feeding, err = f.lend(min(f.capacity, f.smallest)); err != nil {
			return err
		}
	} else if f.feeding.p.Free() < n {
		f.grow()
	}
	b := f.small[:n]
	if r := f.feeding; !r.used {
		m, _ := r.p.TryWrite(b)
		if b = b[m:]; len(b) == 0 {
			return f.handOver()
		}
		if err := f.use(r); err != nil {
			return err
		}
	}
	_, err = f.feeding.p.Write(b)
	return err
}

// feedFixed reads the source into the ring that the flow keeps until its end. If
// the consumer was closed the error is a consumerClosed.
func (f *flow) feedFixed() (err error) {
	s, p, c := &f.in, f.fixed.p, f.fixed.c
	defer func() {
		err = s.closeDirect(err)
		// A Commit fails only on a producer that is closed itself.
		if err != nil && !s.failed && p.Err() != nil && p.Commit(0) == nil && c.Err() == io.ErrClosedPipe {
			err = consumerClosed{err}
		}
	}()
	if s.direct.Active() {
		s.maxCall = s.largest(p.Cap())
	}
	if !s.direct.Active() && s.boundary != vectored.Stream {
		if _, err = p.ReadFrom(s); !errors.Is(err, errStream) {
			return err
		}
	}
	for empty := 0; empty < maxEmptyReads; empty++ {
		if err := f.splice(); err != nil {
			return err
		}
		if err := f.awaitRoom(); err != nil {
			return err
		}
		n, err := p.IOSlices(f.onFill)
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if n > 0 {
			empty = -1
		}
		f.noteRead(n)
	}
	return io.ErrNoProgress
}

// awaitRoom waits while the fixed ring is full, until a quarter of it is free. A
// ReadFrom would read a few bytes meanwhile, to see the end of a stream that just
// fits. Here the sink makes room, and each such read delays it. After a splice there
// may be packets, which need room.
func (f *flow) awaitRoom() error {
	p, room := f.fixed.p, f.in.boundary.Room()
	if !f.in.direct.Active() {
		switch {
		case p.Free() >= room:
			return nil
		case room > 1:
			return p.Wait(context.Background(), max(room, p.Cap()/4))
		}
		return p.WaitSoft(context.Background(), max(1, p.Cap()/4))
	}
	// For no more than half of the ring, as the sink does for its block: otherwise
	// each could wait for the other.
	block := f.in.direct.Block()
	if p.Free() >= block {
		return nil
	}
	return p.Wait(context.Background(), max(block, p.Cap()/4))
}
