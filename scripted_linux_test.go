package bytering_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/internal/pattern"
	"github.com/bytering/bytering/internal/scripted"
	"github.com/bytering/bytering/vectored"
)

// Bits of a fuzz input's last argument.
const (
	readvBit  = 1 << iota // the source is read with readv
	writevBit             // the sink is written with writev
	besideBit             // some counts come with an error
)

// errBeside is returned together with a count.
var errBeside = errors.New("test error")

// beside makes every third call that moves something return errBeside as well. An
// io.Reader may do that; no system call can.
type beside struct {
	r     io.Reader
	w     io.Writer
	moved int
}

func (b *beside) count(n int, err error) (int, error) {
	if n > 0 && err == nil {
		if b.moved++; b.moved%3 == 0 {
			return n, errBeside
		}
	}
	return n, err
}

func (b *beside) Read(p []byte) (int, error)  { return b.count(b.r.Read(p)) }
func (b *beside) Write(p []byte) (int, error) { return b.count(b.w.Write(p)) }

type besidev struct{ beside }

func (b *besidev) Readv(bufs [][]byte) (int, error) {
	return b.count(b.r.(vectored.Reader).Readv(bufs))
}
func (b *besidev) Writev(bufs [][]byte) (int, error) {
	return b.count(b.w.(vectored.Writer).Writev(bufs))
}

// FuzzScriptedEnds sends a stream from a scripted source through a small ring to a
// scripted sink, and goes on after every error. The sink must get what the source
// gave, byte for byte. At every stop the counts and positions must be exact, and
// the errors must be the script's, in its order.
func FuzzScriptedEnds(f *testing.F) {
	for i, read := range scripted.Seeds {
		for j, write := range scripted.Seeds {
			f.Add(read, write, byte(4+7*i), byte(3*j), byte(i+j))
		}
	}
	f.Fuzz(func(t *testing.T, read, write []byte, capacity, off, bits byte) {
		p, c, err := bytering.New(int(capacity) + 1)
		if err != nil {
			t.Fatal(err)
		}
		begin := int(off) % p.Cap()
		p.Slices()
		if err := errors.Join(p.Commit(begin), c.Discard(begin)); err != nil {
			t.Fatal(err)
		}
		in := &scriptedIn{t: t, p: p, begin: begin, steps: scripted.Decode(read)}
		in.src = scripted.NewSource(t, in.steps...)
		in.from = in.src
		if bits&readvBit != 0 {
			if in.from, err = vectored.NewReader(in.src); err != nil {
				t.Fatal(err)
			}
		}
		out := &scriptedOut{t: t, c: c, begin: begin, steps: scripted.Decode(write), plain: bits&writevBit == 0}
		out.dst = scripted.NewSink(t, out.steps...)
		out.to = out.dst
		if !out.plain {
			if out.to, err = vectored.NewWriter(out.dst); err != nil {
				t.Fatal(err)
			}
		}
		if bits&besideBit != 0 {
			r, w := &besidev{beside{r: in.from}}, &besidev{beside{w: out.to}}
			if in.from = r; bits&readvBit == 0 {
				in.from = &r.beside
			}
			if out.to = w; out.plain {
				out.to = &w.beside
			}
		}

		ended := make(chan struct{})
		go func() {
			defer close(ended)
			defer p.Close()
			in.run()
		}()
		defer func() { c.Close(); <-ended }() // runs even if out.run ends the test
		out.run()
		<-ended
		if got := out.dst.Bytes(); int64(len(got)) != in.src.Position() {
			t.Errorf("%d of %d bytes arrived", len(got), in.src.Position())
		}
		if p.Position() != c.Position() || c.Len() != 0 || p.Err() != io.ErrClosedPipe || c.Err() != io.EOF {
			t.Errorf("positions %d and %d, errors %v and %v", p.Position(), c.Position(), p.Err(), c.Err())
		}
	})
}

// A scriptedIn is a producer and its source.
type scriptedIn struct {
	t     *testing.T
	p     *bytering.Producer
	begin int
	steps []scripted.Step
	src   *scripted.Source
	from  io.Reader
}

// run reads until the end of the script. The consumer affects how much a step
// moves, but not how the step ends.
func (in *scriptedIn) run() {
	wants := append(ends(in.steps, io.EOF), io.EOF)
	total := int64(0)
	for i := 0; i < len(wants); {
		n, err := in.p.ReadFrom(in.from)
		if total += n; total != in.src.Position() || in.p.Position() != uint64(in.begin)+uint64(total) {
			in.t.Errorf("ReadFrom returned %d bytes; the producer is at %d and started at %d, the source is at %d",
				total, in.p.Position(), in.begin, in.src.Position())
		}
		if err == errBeside && n > 0 {
			continue
		}
		want := wants[i]
		if i++; want == io.EOF {
			want = nil // ReadFrom returns nil at the end
		}
		if !isScripted(err, want) {
			in.t.Errorf("ReadFrom %d of %d ends with %v, want %v", i, len(wants), err, want)
		}
		if in.p.Err() != nil {
			in.t.Errorf("the producer ends with %v", in.p.Err())
			return
		}
	}
	if in.src.Left() != 0 {
		in.t.Errorf("%d steps of the source are left", in.src.Left())
	}
}

// A scriptedOut is a consumer and its sink.
type scriptedOut struct {
	t     *testing.T
	c     *bytering.Consumer
	begin int
	steps []scripted.Step
	dst   *scripted.Sink
	to    io.Writer
	plain bool
}

// run writes until the stream has ended.
func (out *scriptedOut) run() {
	wants := ends(out.steps, io.ErrUnexpectedEOF)
	total := int64(0)
	for i := 0; ; {
		n, err := out.c.WriteTo(out.to)
		total += n
		got := out.dst.Bytes()
		if total != int64(len(got)) || out.c.Position() != uint64(out.begin)+uint64(total) {
			out.t.Fatalf("WriteTo returned %d bytes; the consumer is at %d and started at %d, the sink has %d",
				total, out.c.Position(), out.begin, len(got))
		}
		if !bytes.Equal(got, pattern.Bytes(0, len(got))) {
			out.t.Fatalf("the %d bytes of the sink differ from those of the source", len(got))
		}
		if err == errBeside && n > 0 {
			continue
		}
		switch {
		case err == nil:
			// As many of the steps taken have failed as calls of WriteTo.
			taken := out.steps[:len(out.steps)-out.dst.Left()]
			if failed := len(ends(taken, io.ErrUnexpectedEOF)); failed != i {
				out.t.Fatalf("WriteTo failed %d times, the script %d times", i, failed)
			}
			return
		case i == len(wants):
			out.t.Fatalf("WriteTo ends with %v after the script", err)
		case !isScripted(err, wants[i]) &&
			// A Write that has written something can only report that it was short.
			!(out.plain && wants[i] == scripted.ErrLie && n > 0 && err == io.ErrShortWrite):
			out.t.Fatalf("WriteTo %d of %d ends with %v, want %v", i, len(wants), err, wants[i])
		}
		i++
	}
}

// ends returns the errors with which calls on a script end, in order.
func ends(steps []scripted.Step, end error) (errs []error) {
	for _, s := range steps {
		errs = append(errs, s.Err(end))
	}
	return slices.DeleteFunc(errs, func(err error) bool { return err == nil })
}

// isScripted reports whether err is the script's want.
func isScripted(err, want error) bool {
	switch want {
	case nil, io.EOF, io.ErrUnexpectedEOF:
		return err == want
	case scripted.ErrLie:
		return errors.Is(err, bytering.ErrInvalidCount)
	}
	return errors.Is(err, want)
}
