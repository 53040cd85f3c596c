package direct

import (
	"fmt"
	"os"
)

// A Ring is the geometry of the ring between a source and a sink.
type Ring struct {
	Capacity int
	Call     int    // the most that one call is offered
	Memory   []byte // a part of it that is free, if any is
	Position uint64 // of Memory in the stream, and of both halves
	Idle     bool   // the ring is empty and has one consumer
}

// Open makes each of source and sink direct if that is possible. A file's offset
// and the address of the memory that is read into or written from must be equally
// far from a block. So the caller must advance the ring by skip bytes first. That
// aligns the ring with one file, and with the other only if their offsets differ by
// whole blocks.
func Open(source, sink any, r Ring) (in, out File, skip int) {
	in, out = r.open(source), r.open(sink)
	// The ring is aligned with the file that has the larger blocks. It is then
	// aligned with the other file too, if it can be aligned with both.
	lead := &in
	if !in.active || out.active && out.block > in.block {
		lead = &out
	}
	if !lead.active {
		return in, out, 0
	}
	skip = int(uint64(lead.at)-r.Position) & (lead.block - 1)
	for _, d := range []*File{&in, &out} {
		if d.active && (uint64(d.at)-r.Position-uint64(skip))&uint64(d.block-1) != 0 {
			d.GiveUp(fmt.Errorf("its offset %d and the other side's differ modulo %d", d.at, d.block))
		}
	}
	return in, out, skip
}

// open makes one end direct if the ring allows that.
func (r Ring) open(end any) File {
	f, ok := end.(*os.File)
	if !ok {
		return File{why: ErrNoFile}
	}
	d := open(f)
	switch {
	case !d.active:
	case d.block > r.Capacity/2 || r.Capacity%d.block != 0:
		d.GiveUp(fmt.Errorf("a ring of %d bytes does not hold two or more whole blocks of %d", r.Capacity, d.block))
	case d.block > r.Call:
		d.GiveUp(fmt.Errorf("calls of at most %d bytes hold no block of %d", r.Call, d.block))
	case !r.Idle:
		d.GiveUp(errUsed)
	case len(r.Memory) > 0 && !d.aligned(r.Memory, r.Position):
		d.GiveUp(fmt.Errorf("its ring's memory does not begin at a block of %d bytes", d.block))
	}
	return d
}
