package vectored

import (
	"bytes"
	"io"
	"testing"

	"github.com/bytering/bytering/internal/pattern"
	"github.com/bytering/bytering/internal/scripted"
)

// A fuzzCall is decoded from a byte for the method and one for each of up to seven
// slices.
type fuzzCall struct {
	which int
	sizes []int
}

// shapes decodes the calls to make. A slice has up to 31 bytes, and mostly fewer
// than a step moves.
func shapes(tape []byte) (calls []fuzzCall) {
	for len(tape) > 0 && len(calls) < 2*scripted.Most {
		c := fuzzCall{which: int(tape[0] % 3)}
		slices := int(tape[0]/3) % 8
		for tape = tape[1:]; slices > 0 && len(tape) > 0; slices-- {
			c.sizes = append(c.sizes, int(tape[0]%32))
			tape = tape[1:]
		}
		calls = append(calls, c)
	}
	return calls
}

// seedShapes are calls of all kinds, with many, few, empty and no slices. 3*n+k is
// call k with n slices.
var seedShapes = [][]byte{
	{3*1 + 0, 10, 3*1 + 1, 10, 3*1 + 2, 10, 3*1 + 0, 10, 3*1 + 1, 10, 3*1 + 2, 10},
	{3*2 + 2, 5, 9, 3*3 + 2, 1, 1, 1, 3*7 + 2, 0, 3, 0, 0, 8, 31, 0, 3*2 + 2, 20, 20},
	{3*2 + 0, 1, 9, 3*2 + 0, 1, 9, 3*2 + 0, 1, 9, 3*2 + 0, 1, 9, 3*2 + 0, 1, 9, 3*2 + 0, 1, 9, 3*2 + 0, 1, 9, 3*2 + 0, 1, 9},
	{3*0 + 0, 3*0 + 2, 3*2 + 0, 0, 0, 3*1 + 1, 0, 3*2 + 2, 0, 0, 3*4 + 0, 0, 2, 0, 2, 3*1 + 1, 1, 3*1 + 1, 31, 3*1 + 1, 31},
}

func addSeeds(f *testing.F) {
	for _, script := range scripted.Seeds {
		for _, calls := range seedShapes {
			f.Add(script, calls)
		}
	}
}

// makeSlices returns slices of these sizes, filled with bytes that a read must
// change or leave and a write must not change.
func makeSlices(sizes []int, fill func(b []byte)) (bufs [][]byte, all []byte) {
	total := 0
	for _, n := range sizes {
		total += n
	}
	all = make([]byte, total)
	fill(all)
	rest := all
	for _, n := range sizes {
		bufs = append(bufs, rest[:n])
		rest = rest[n:]
	}
	return bufs, all
}

// agree fails the test unless a call returned what the model says.
func agree(t *testing.T, what string, n int, err error, wantN int, wantErr error) {
	t.Helper()
	if wantErr == scripted.ErrLie {
		wantErr = ErrInvalidCount
	}
	if n != wantN || !is(err, wantErr) {
		t.Fatalf("%s = %d, %v; want %d, %v", what, n, err, wantN, wantErr)
	}
}

// sameSizes fails the test if a call has changed the slices it was given.
func sameSizes(t *testing.T, bufs [][]byte, sizes []int) {
	t.Helper()
	for i, b := range bufs {
		if len(b) != sizes[i] {
			t.Fatalf("slice %d now has %d bytes, want %d", i, len(b), sizes[i])
		}
	}
}

// FuzzReader checks that whatever the system does, the counts are those of the
// bytes, which come once and in order, and no byte is written beyond them.
func FuzzReader(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, tape, calls []byte) {
		steps := scripted.Decode(tape)
		src := scripted.NewSource(t, steps...)
		m := &scripted.Model{Steps: steps, End: io.EOF}
		r, err := NewReader(src)
		must(t, r, err)
		for _, c := range shapes(calls) {
			bufs, all := makeSlices(c.sizes, func(b []byte) {
				pattern.Fill(b, uint64(m.Moved))
				for i := range b {
					b[i] ^= 0xff
				}
			})
			begin := m.Moved
			before := bytes.Clone(all)
			var n, wantN int
			var err, wantErr error
			what := ""
			switch c.which {
			case 0:
				what = "Readv"
				n, err = r.Readv(bufs)
				wantN, wantErr = m.Call(len(all))
			case 1:
				what = "Read"
				n, err = r.Read(all)
				wantN, wantErr = m.Call(len(all))
			case 2:
				what = "ReadFull"
				n, err = ReadFull(r, bufs...)
				wantN, wantErr = m.Full(len(all))
				if wantN > 0 && wantErr == io.EOF {
					wantErr = io.ErrUnexpectedEOF
				}
			}
			agree(t, what, n, err, wantN, wantErr)
			sameSizes(t, bufs, c.sizes)
			if !bytes.Equal(all[:n], pattern.Bytes(uint64(begin), n)) {
				t.Fatalf("%s returned bytes that differ from those at %d", what, begin)
			}
			if !bytes.Equal(all[n:], before[n:]) {
				t.Fatalf("%s wrote beyond its count", what)
			}
			if src.Position() != m.Moved || src.Calls() != m.Taken {
				t.Fatalf("after %s the source is at byte %d after %d system calls, want %d after %d", what, src.Position(), src.Calls(), m.Moved, m.Taken)
			}
		}
	})
}

// FuzzWriter checks that whatever the system does, the counts are those of the
// bytes that it took, each written once and in order.
func FuzzWriter(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, tape, calls []byte) {
		steps := scripted.Decode(tape)
		dst := scripted.NewSink(t, steps...)
		m := &scripted.Model{Steps: steps, After: scripted.Step{N: 1 << 30}, End: io.ErrUnexpectedEOF}
		w, err := NewWriter(dst)
		must(t, w, err)
		for _, c := range shapes(calls) {
			bufs, all := makeSlices(c.sizes, func(b []byte) { pattern.Fill(b, uint64(m.Moved)) })
			before := bytes.Clone(all)
			var n, wantN int
			var err, wantErr error
			what := ""
			switch c.which {
			case 0:
				what = "Writev"
				n, err = w.Writev(bufs)
				wantN, wantErr = m.Call(len(all))
			case 1:
				what = "Write"
				n, err = w.Write(all)
				wantN, wantErr = m.Full(len(all))
			case 2:
				what = "WriteAll"
				n, err = WriteAll(w, bufs...)
				wantN, wantErr = m.Full(len(all))
			}
			agree(t, what, n, err, wantN, wantErr)
			sameSizes(t, bufs, c.sizes)
			if !bytes.Equal(all, before) {
				t.Fatalf("%s changed what it was given", what)
			}
			if dst.Calls() != m.Taken {
				t.Fatalf("after %s %d system calls, want %d", what, dst.Calls(), m.Taken)
			}
			if got := dst.Bytes(); !bytes.Equal(got, pattern.Bytes(0, int(m.Moved))) {
				t.Fatalf("after %s the sink has %d bytes, want %d, or the bytes differ", what, len(got), m.Moved)
			}
		}
	})
}
