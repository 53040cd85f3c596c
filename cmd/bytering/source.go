package main

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/bytering/bytering/pump"
	"github.com/bytering/bytering/vectored"
)

// A source is the inputs, read one after the other. Each is opened when its turn
// comes, because the open of a FIFO blocks until there is a writer.
type source struct {
	open    func(place) (*end, error)
	missing func(error) // called for an input that can't be opened, which is then skipped; nil if that is an error
	size    int64       // of all that is left to read, or -1
	skip    int64       // still to be left out
	left    int64       // still to be read, or -1 for all
	lacks   bool        // an input was skipped
	strict  bool        // the sinks must not take an end that is short for one
	buffer  []byte      // for what is left out

	mu       sync.Mutex
	rest     []place
	cur      *end   // the last one that was opened
	opening  string // the name of the one that is being opened, or ""
	r        *layer
	deadline time.Time
	closed   bool
}

// next opens the next input. It returns io.EOF if there is none.
func (s *source) next() error {
	for {
		s.mu.Lock()
		if len(s.rest) == 0 || s.closed {
			s.mu.Unlock()
			return io.EOF
		}
		p := s.rest[0]
		s.rest, s.opening = s.rest[1:], p.String()
		s.mu.Unlock()
		e, err := s.open(p)
		switch {
		case err == nil:
			return s.use(e)
		case s.missing == nil:
			return err
		}
		s.lacks = true
		s.missing(err)
	}
}

// use makes e the current input.
func (s *source) use(e *end) error {
	e.tune(os.O_RDONLY)
	// Bytes that a seek can skip need not be read.
	if n := min(s.skip, e.size); n > 0 && (e.remote == nil || e.remote.seek(n)) {
		if e.remote == nil {
			if _, err := e.file.Seek(n, io.SeekCurrent); err != nil {
				return err
			}
		}
		s.skip -= n
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cur, s.r, s.opening = e, around(e.reader()), ""
	if !s.deadline.IsZero() {
		s.r.SetReadDeadline(s.deadline)
	}
	return nil
}

// reader returns the reader of the source, whose first input is open. A single
// input that is to be read whole is its own reader.
func (s *source) reader() io.Reader {
	if len(s.rest) == 0 && s.left < 0 && s.skip == 0 {
		return s.cur.reader()
	}
	return s
}

// Boundary returns where one read ends, for the input that needs the most room.
func (s *source) Boundary() vectored.Boundary {
	b := s.r.Boundary()
	for _, p := range s.rest {
		if info, err := os.Stat(p.name); p.kind == file && p.name != "-" && err == nil {
			switch mode := info.Mode(); {
			case mode&os.ModeCharDevice != 0:
				return vectored.Record
			case mode&os.ModeNamedPipe != 0 && b == vectored.Stream:
				b = vectored.Packet
			}
		}
	}
	return b
}

func (s *source) Readv(bufs [][]byte) (int, error) {
	for {
		into, most, skipping := bufs, s.left, s.skip > 0
		if skipping {
			if s.buffer == nil {
				s.buffer = make([]byte, vectored.MaxMessage)
			}
			into, most = [][]byte{s.buffer}, s.skip
		}
		if most == 0 {
			return 0, io.EOF
		}
		n, err := s.atMost(into, most)
		switch {
		case skipping:
			s.skip -= int64(n)
		case s.left > 0:
			s.left -= int64(n)
		}
		switch {
		case n == 0 && errors.Is(err, io.EOF):
			if len(s.rest) == 0 {
				if err := s.ended(); err != nil {
					return 0, err
				}
				return 0, io.EOF
			}
			s.cur.close()
			if err := s.next(); err != nil {
				return 0, err
			}
		case !skipping:
			return n, unlessEOF(err)
		case err != nil:
			return 0, unlessEOF(err)
		}
	}
}

// atMost reads from the current input, at most that many bytes unless most is
// negative.
func (s *source) atMost(bufs [][]byte, most int64) (int, error) {
	if most < 0 {
		return s.r.readv(bufs)
	}
	// The rest of a message would be lost, and a read of less might be refused.
	if b := s.r.Boundary(); b == vectored.Stream || b == vectored.Packet {
		bufs = cut(bufs, most)
	}
	n, err := s.r.readv(bufs)
	return int(min(int64(n), most)), err
}

// unlessEOF returns err, unless another input may follow.
func unlessEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func (s *source) Read(b []byte) (int, error) { return readOne(s, b) }

func (s *source) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	return s.r.SetReadDeadline(t)
}

// name returns the name of the current input.
func (s *source) name() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opening != "" {
		return s.opening
	}
	return s.cur.name
}

func (s *source) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.cur.close()
}

// failure returns the failure for a read that failed.
func (s *source) failure(err *pump.Error, safe string) error {
	var missing *failure // to open it, or a timeout
	if errors.As(err, &missing) {
		code := exitSource
		if missing.code == exitTimeout || missing.code == exitEarly {
			code = missing.code
		}
		return fail(code, "%w; %s", missing.error, safe)
	}
	if s.cur.remote != nil {
		return webFailure(s.name(), err.Err, err.Offset, safe)
	}
	return fail(exitSource, "read %s: %w at byte %d; %s", s.name(), cause(err.Err), err.Offset, safe)
}

// short returns the failure for inputs that have all ended before --skip or
// --count.
func (s *source) short(atMost bool, safe string) []error {
	if err := s.lack(atMost); err != nil {
		return []error{stopped(err, safe)}
	}
	return nil
}

func (s *source) lack(atMost bool) error {
	switch {
	case s.lacks:
		return fail(exitSource, "not all inputs could be opened")
	case s.skip > 0:
		return fail(exitEarly, "read %s: ended %d bytes before what --skip leaves out", s.name(), s.skip)
	case s.left > 0 && !atMost:
		return fail(exitEarly, "read %s: ended %d bytes before what --count says", s.name(), s.left)
	}
	return nil
}

// ended returns the error that the sinks get at the end of all inputs, or nil. An
// upload must not be completed with less than was asked for.
func (s *source) ended() error {
	if !s.strict {
		return nil
	}
	return s.lack(false)
}

// expected returns how many bytes the inputs have, or -1 if that is not known
// before they are read. The first one is open.
func (s *stream) expected(first *end) int64 {
	if s.size >= 0 {
		return s.size
	}
	total := first.size
	for _, p := range s.inputs[1:] {
		info, err := os.Stat(p.name)
		if total < 0 || p.kind != file || err != nil || !info.Mode().IsRegular() {
			return -1
		}
		total += info.Size()
	}
	if total >= 0 {
		total = max(0, total-s.skip)
	}
	if s.count >= 0 && (total < 0 || s.count < total) {
		return s.count
	}
	return total
}

// probe returns an error if a file among the inputs is missing or can't be read.
// It is called before a byte is moved.
func (s *stream) probe() error {
	for _, p := range s.inputs[1:] {
		if p.kind != file || p.name == "-" {
			continue
		}
		info, err := os.Stat(p.name)
		switch {
		case err != nil:
			return fail(exitRefused, "open %v: %w", p, cause(err))
		case info.IsDir():
			return isDirectory(p.String())
		case info.Mode().IsRegular():
			f, err := os.Open(p.name)
			if err != nil {
				return fail(exitRefused, "%w", named(err))
			}
			f.Close()
		}
	}
	return nil
}
