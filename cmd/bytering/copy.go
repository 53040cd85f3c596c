package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/async"
	"github.com/bytering/bytering/pump"
	"github.com/bytering/bytering/vectored"
)

// A stream is one transfer.
type stream struct {
	config
	voice  *voice
	source *source
	sinks  []*sink
	sums   []*digest // in step with the sinks

	p *bytering.Producer
	c []*bytering.Consumer // of the sinks and the sums; with several of these, one more before them

	meter pump.Meter
	stats pump.Stats // of the copy when it is over

	whole     int // bytes that each write has, but the last; 0 for any
	filling   async.Meter
	fillDepth int // that was had

	directRead pump.SideStats // what fill read direct

	object *stored   // the input, if it is one
	stored []*stored // in step with the sinks: those that are objects

	overt  sync.Once // says that TCP is not encrypted
	cancel context.CancelCauseFunc
	left   chan int // the sinks, of several, whose reader has left
}

func newStream(cancel context.CancelCauseFunc, cfg config, v *voice) (*stream, error) {
	s := &stream{config: cfg, voice: v, cancel: cancel, left: make(chan int, len(cfg.outputs))}
	for range cfg.outputs {
		s.sinks = append(s.sinks, &sink{gone: func() {}})
	}
	for _, name := range cfg.hashes {
		s.sums = append(s.sums, &digest{name: name, hash: hashes[name]()})
	}
	if err := s.fitMemory(); err != nil {
		return nil, err
	}
	return s, s.wholeBlocks()
}

// prepare opens the objects, which decide how large the ring is, and makes it.
func (s *stream) prepare(ctx context.Context, stdin *os.File) error {
	if err := s.openObjects(ctx, stdin); err != nil {
		return err
	}
	if s.deep() {
		ends := 1
		if s.direct {
			ends += len(s.sinks) // see place
		}
		if err := enoughThreads(ends * s.effectiveDepth()); err != nil {
			return err
		}
	}
	if err := s.makeRing(); err != nil {
		return err
	}
	for i, k := range s.sinks {
		k.c, k.whole = s.c[len(s.c)-len(s.sinks)-len(s.sums)+i], s.whole
	}
	for i, h := range s.sums {
		h.c = s.c[len(s.c)-len(s.sums)+i]
	}
	return enoughMemory()
}

// several reports whether fan does the copy: if there is more than one sink or
// hash, for whole blocks, at depth, and for uploads.
func (s *stream) several() bool {
	return len(s.sinks)+len(s.sums) > 1 || s.whole > 0 || s.deep() || s.uploads()
}

// uploads reports whether an output is an object.
func (s *stream) uploads() bool { return slices.ContainsFunc(s.outputs, isObject) }

// makeRing makes the ring. It is mapped, because Go's runtime ends the process if
// its heap can't grow.
func (s *stream) makeRing() error {
	if s.whole > s.memory.bytes {
		return fail(exitRefused, "%s %v: holds no whole block of %d bytes", memoryFlag[s.as], s.memory, s.whole)
	}
	opts := []bytering.Option{bytering.Align(1)}
	if s.direct {
		opts = append(opts, bytering.Align(directMemory))
	}
	if s.lock {
		opts = append(opts, bytering.Lock())
	}
	f, err := s.openRing()
	if err != nil {
		return fail(exitRefused, "%w", named(err))
	}
	consumers := 1
	if s.several() {
		consumers = 1 + len(s.sinks) + len(s.sums)
	}
	if f != nil {
		s.p, s.c, err = bytering.NewBroadcast(s.memory.bytes, consumers, append(opts, bytering.File(f))...)
		f.Close() // the mapping keeps it
	} else if s.p, s.c, err = bytering.NewBroadcast(s.memory.bytes, consumers, append(opts, bytering.Mapped())...); errors.Is(err, errors.ErrUnsupported) {
		s.p, s.c, err = bytering.NewBroadcast(s.memory.bytes, consumers, opts...)
	}
	var why syscall.Errno
	switch {
	case err == nil:
		return nil
	case errors.Is(err, bytering.ErrFile) && errors.As(err, &why):
		err = fmt.Errorf("%s: %w", quoted(f.Name()), why)
	case errors.Is(err, bytering.ErrNoMemory):
		err = errors.New("not enough memory")
	case errors.Is(err, bytering.ErrInvalidCapacity):
		err = errors.New("too large")
	}
	return fail(exitRefused, "%s %v: %w", memoryFlag[s.as], s.memory, err)
}

// memoryFlag is the name of the flag for the size of the ring.
var memoryFlag = [...]string{asBytering: "-m, --memory", asMbuffer: "-m", asPv: "-B, --buffer-size"}

// openRing makes the file that the ring lies in, if it is to lie in one. It
// removes the file's name, so that the file goes with the process.
func (s *stream) openRing() (f *os.File, err error) {
	switch {
	case s.ringFile != "":
		f, err = os.OpenFile(s.ringFile, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	case s.tempFile:
		f, err = os.CreateTemp(tempDir(), "bytering-*")
	}
	if f != nil {
		err = os.Remove(f.Name())
	}
	return f, err
}

// transfer copies the inputs to the outputs. It returns the summary, a function
// that takes the bar off the screen, and errors, each of which is a line. All
// ends are closed when it returns, so nothing waits for a slow terminal.
func transfer(ctx context.Context, cfg config, v *voice, stdin, stdout *os.File) (r report, hide func(), errs []error) {
	hide = func() {}
	asked := statusRequests()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s, err := newStream(cancel, cfg, v)
	if err != nil {
		return r, hide, []error{err}
	}
	std := standard(cfg.outputs)
	if std >= 0 {
		watch(stdout, stdin, func() { s.gone(std, cancel) })
	}
	if err := s.open(ctx, stdin, stdout); err != nil {
		return r, hide, []error{err}
	}
	for i, k := range s.sinks {
		if i != std {
			watch(k.file, s.source.cur.file, func() { s.gone(i, cancel) })
		}
		if isTerminal(k.file) {
			stopInBackground()
		}
	}

	begin := time.Now()
	hide = showProgress(v.stderr, s, asked)
	if errs = s.run(ctx); len(errs) > 0 {
		return r, hide, errs // a call that was left behind may still count
	}
	r.summary = summary(s.written(), time.Since(begin))
	if s.deep() && s.object == nil {
		r.summary += "; " + s.depths()
	}
	for _, o := range append(s.stored, s.object) {
		if o != nil {
			r.summary += "; " + o.summary
		}
	}
	if s.direct {
		r.summary += "; " + s.directText()
	}
	for _, h := range s.sums {
		r.sums = append(r.sums, fmt.Sprintf("%s hash: %x", strings.ToUpper(h.name), h.hash.Sum(nil)))
	}
	return r, hide, errs
}

// A report is the summary of a transfer that has succeeded.
type report struct {
	summary string
	sums    []string
}

// gone is called when nothing reads a sink any more.
func (s *stream) gone(i int, cancel func(error)) {
	if s.several() {
		s.left <- i
		return
	}
	cancel(syscall.EPIPE)
}

// standard returns the index of the standard input or output in places, or -1.
func standard(places []place) int {
	for i, p := range places {
		if p.kind == file && p.name == "-" {
			return i
		}
	}
	return -1
}

// run moves the bytes until the stream ends, a failure leaves nothing to do, a
// signal arrives, or nothing reads the sinks any more. It closes all ends.
func (s *stream) run(ctx context.Context) []error {
	in := s.source.reader()
	if s.deep() {
		in = s.source // of which other inputs may be left
	}
	opts := []pump.Option{pump.Ring(s.p, s.c[0]), pump.MaxCall(s.maxCall(in)), pump.WithMeter(&s.meter)}
	if !s.noSplice {
		opts = append(opts, pump.Splice())
	}
	if s.direct {
		opts = append(opts, pump.Direct())
	}
	after := s.patience(s.source.cur)
	in = paceReader(timeReader(in, after, s.stalled("read", s.source.name, after)), s.readRate)
	var m *marks
	if s.startAbove > 0 || s.resumeBelow < 100 {
		m = newMarks(s.p.Cap(), len(s.sinks), s.startAbove, s.resumeBelow)
		in = &markedSource{around(in), m}
	}
	for i, k := range s.sinks {
		s.place(k, s.outputs[i])
		k.out = onTape(s.held(k), s.tape)
		if m != nil {
			k.out = &markedSink{around(k.out), m, i}
			k.gone = func() { m.gone(i) }
		}
	}
	var err error
	if s.several() {
		err = s.fan(ctx, in, opts)
		several := errors.New("there are several outputs, a hash or whole blocks")
		s.stats.Source.Buffered, s.stats.Sink.Buffered = several, several
	} else {
		err = s.copy(ctx, in, opts)
		s.stats.Source.Buffered = whyBuffered(in, s.stats.Source.Buffered)
	}
	return s.closeAll(err)
}

// copy copies to a single sink.
func (s *stream) copy(ctx context.Context, in io.Reader, opts []pump.Option) error {
	k := s.sinks[0]
	var err error
	s.stats, err = pump.Copy(ctx, k.out, in, opts...)
	s.stats.Sink.Buffered = whyBuffered(k.out, s.stats.Sink.Buffered)
	k.n.Store(s.stats.Sink.Bytes)
	var failed *pump.Error
	if errors.As(err, &failed) {
		k.pending = failed.Pending
		switch {
		case failed.Side == pump.Sink, failed.Side == pump.Neither && failed.Err == syscall.EPIPE:
			k.err = failed.Err
			return nil
		}
	}
	return err
}

// maxCall returns how many bytes a call may move: at least as many as a message
// needs.
func (s *stream) maxCall(in io.Reader) int {
	if b := vectored.BoundaryOf(in); b != vectored.Packet { // which pump sees to
		return max(s.block.bytes, b.Room()) // a smaller one would cut a message
	}
	return s.block.bytes
}

// written returns how many bytes the slowest sink has accepted. Sinks that have
// failed do not count, unless all have.
func (s *stream) written() int64 {
	if !s.several() {
		return s.meter.Stats().Sink.Bytes
	}
	least := int64(-1)
	for _, k := range s.sinks {
		if n := k.accepted(); !k.over.Load() && (least < 0 || n < least) {
			least = n
		}
	}
	if least >= 0 {
		return least
	}
	return s.sinks[0].accepted()
}

// onTerminal reports whether data go to a terminal.
func (s *stream) onTerminal() bool {
	return slices.ContainsFunc(s.sinks, func(k *sink) bool { return isTerminal(k.file) })
}

func summary(n int64, d time.Duration) string {
	text := fmt.Sprintf("%d bytes", n)
	if n >= 1024 {
		text += " (" + bytesText(float64(n)) + ")"
	}
	rate := float64(n) / max(d.Seconds(), 1e-9)
	return fmt.Sprintf("%s in %.3f s, %s/s", text, d.Seconds(), bytesText(rate))
}
