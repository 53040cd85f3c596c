package bytering

import (
	"context"
	"io"
	"os"

	"github.com/bytering/bytering/internal/memory"
	"github.com/bytering/bytering/vectored"
)

// A spill holds what a source has returned while the ring had no room for it. So
// ReadFrom can read its source without needing room: it sees an end that comes
// right after the last byte that fits, and it reads a message whole. The next
// call of the producer, whichever it is, publishes what is in the spill before
// anything else; it is not counted before that.
type spill struct {
	buf  []byte // made when it is first needed
	rest []byte // the end of buf's bytes, which is not published yet
}

// streamSpill is the size of a stream's spill. It must hold a byte. A copy of
// this size still costs less than a read.
const streamSpill = 512

// spillOf returns n bytes of the spill's memory. For messages they begin on a
// page, as some devices require.
func (p *Producer) spillOf(n int) []byte {
	if len(p.spill.buf) < n {
		if n <= streamSpill {
			p.spill.buf = make([]byte, streamSpill)
		} else if m, err := memory.New(n, memory.Options{Align: os.Getpagesize()}); err == nil {
			p.spill.buf = m.Bytes()
		}
	}
	return p.spill.buf[:n:n]
}

func (p *Producer) setSpill(rest []byte) {
	if p.spill.rest = rest; len(rest) > 0 {
		p.quick = 0 // what is in the spill comes first
	}
	p.ring.spilled.Store(uint32(len(rest)))
}

// unspill publishes as much of the spill as fits, and returns how many bytes that
// was.
func (p *Producer) unspill() (int, error) {
	rest := p.spill.rest
	p.spill.rest = nil // so that put does not wait for it
	n, err := p.put(rest)
	if p.spill.rest = rest; n > 0 {
		p.setSpill(rest[n:])
	}
	return n, err
}

// unspilled reports whether nothing is left in the spill, once what fits has been
// published.
func (p *Producer) unspilled() bool {
	if len(p.spill.rest) > 0 {
		p.unspill()
	}
	return len(p.spill.rest) == 0
}

// flush publishes what is in the spill, and parks while there is no room. It
// returns how many bytes that was. The caller has more bytes to write after it.
func (p *Producer) flush(ctx context.Context, more int) (n int, err error) {
	for len(p.spill.rest) > 0 {
		m, err := p.unspill()
		n += m
		if err == nil && m == 0 {
			err = p.await(ctx, demand{need: 1, want: min(len(p.spill.rest)+more, p.ring.quarter())})
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// maxEmptyReads is the number of reads in a row that return nothing before
// ReadFrom returns io.ErrNoProgress, as in package bufio.
const maxEmptyReads = 100

// ReadFrom reads from src straight into the empty space until src returns
// io.EOF, which is not an error here. It publishes each read at once as far as
// there is room, and parks while there is none. It returns how many bytes were
// published, and the error of src, that of [Producer.Err] or
// os.ErrDeadlineExceeded. It does not close the producer.
//
// If src is a [vectored.Reader], or a connection, a file or a pipe of package net
// or os, one readv fills the space on both sides of the wrap ([vectored.ReaderOf]
// has the rule). One call is offered at most half of the ring, and at most 1 MiB,
// so that the consumer has something to do meanwhile.
//
// ReadFrom does not need room to read src, as io.Copy does not: while the ring is
// full it reads up to 512 bytes into memory of its own, so that it sees an end that
// comes after the last byte that fits. If a read of src ends with a message or a
// record (see [vectored.BoundaryOf]), that memory has room for a whole one. So src
// may be ahead of the ring by that much. If ReadFrom then fails, with
// os.ErrDeadlineExceeded for example, these bytes are kept: the next call of the
// producer that writes, waits for space or looks at it publishes them before
// anything else, and only a ReadFrom that does so counts them. Close drops them, as
// bytes that were never written.
//
// Once all consumers are closed and have taken everything, ReadFrom reads src once
// more. If that is the end, ReadFrom has succeeded. Otherwise what src returned is
// lost.
//
// If a reader returns a negative count, or more bytes than it was offered, the
// error wraps [ErrInvalidCount]. What src returned while the producer was being
// closed is lost and not counted.
func (p *Producer) ReadFrom(src io.Reader) (total int64, err error) {
	p.enter()
	defer p.leave()
	if p.overdue() {
		return 0, os.ErrDeadlineExceeded
	}
	in, more := newInput(src), p.ring.quarter()
	for empty := 0; empty < maxEmptyReads; {
		// What an earlier call has left, or the last read of this one.
		m, late := p.flush(context.Background(), more)
		total += int64(m)
		switch {
		case err == io.EOF:
			return total, late
		case late != nil:
			return total, joinErrors(late, err)
		case err != nil:
			return total, err
		}
		if in.spill == 0 && !p.ready(1) {
			if err := p.await(context.Background(), demand{need: 1, want: p.ring.quarter()}); err != nil {
				return total, err
			}
		}
		var n int
		if n, m, err = p.read(&in); err != nil {
			more = 0 // what is in the spill is the last
		}
		total += int64(m)
		if empty++; n > 0 || in.stops == vectored.Message {
			empty = 0
		}
	}
	return total, io.ErrNoProgress
}

// An input is what ReadFrom reads.
type input struct {
	src   io.Reader
	v     vectored.Reader // nil if src has none
	stops vectored.Boundary
	spill int // bytes of spill to offer where the ring has no room
}

func newInput(src io.Reader) input {
	in := input{src: src, v: vectored.ReaderOf(src), stops: vectored.BoundaryOf(src), spill: streamSpill}
	switch in.stops {
	case vectored.Packet, vectored.Message, vectored.Record:
		in.spill = in.stops.Room()
	case vectored.Block:
		in.spill = 0 // the ring may be aligned for the file, the spill is not
	}
	return in
}

// read reads once from in, and publishes what the ring has room for. It returns
// how many bytes it read and how many it published. The rest is in the spill.
func (p *Producer) read(in *input) (read, published int, err error) {
	var a, b, rest []byte
	ended := p.Err()
	switch {
	case ended == nil:
		a, b, rest = p.offer(in)
	case p.closed() || in.spill == 0 || p.taken() < len(p.peers):
		return 0, 0, ended
	default: // only to see whether the source has ended too
		rest = p.spillOf(in.spill)
	}
	bufs := p.bufs.of(a, b)
	if len(rest) > 0 {
		bufs = p.bufs.and(a, b, rest)
	}
	var n int
	if in.v != nil {
		n, err = in.v.Readv(bufs)
	} else {
		n, err = in.src.Read(bufs[0])
	}
	room := len(a) + len(b)
	if bad := checkCount("the reader", n, room+len(rest)); bad != nil {
		return 0, 0, joinErrors(bad, err)
	}
	if ended != nil {
		if n > 0 || err == nil && in.stops == vectored.Message { // which may be empty
			err = ended
		}
		return n, 0, err
	}
	if published = min(n, room); published < n {
		p.setSpill(rest[:n-published])
	}
	if published > 0 {
		if lost := p.commit(published); lost != nil {
			p.setSpill(nil)
			return 0, 0, lost
		}
	}
	return n, published, err
}

// offer returns what one read of in is offered: a and b in the ring, and then
// the spill if they have no room for all that may come.
func (p *Producer) offer(in *input) (a, b, rest []byte) {
	a, b = p.empty()
	room, least := len(a)+len(b), in.spill
	switch {
	case in.stops == vectored.Stream, in.stops == vectored.Block:
		least = 1
	case in.stops == vectored.Record || in.v == nil:
		b, room = nil, len(a) // all that can be read is one slice
	}
	if room >= least {
		if a, b = p.ring.limitCall(a, b, least); in.v == nil {
			b = nil
		}
		return a, b, nil
	}
	if in.stops == vectored.Record || in.v == nil {
		a = nil
	}
	return a, b, p.spillOf(in.spill)
}
