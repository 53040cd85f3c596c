package pump

import (
	"io"
	"time"

	"github.com/bytering/bytering/internal/seam"
	"github.com/bytering/bytering/vectored"
)

// A source reads into the ring. It is a [vectored.Reader] whatever it reads
// from, so that the ring accepts its short reads.
type source struct {
	side
	src      io.Reader
	v        vectored.Reader     // nil if src has none
	poll     vectored.PollReader // nil if a read may block with its memory in use
	boundary vectored.Boundary
	reveal   bool // a read that shows that a pipe is a stream returns errStream
}

func (s *source) init(src io.Reader, cfg config, wake seam.Token) {
	s.side.init(cfg, wake)
	s.src, s.v = src, vectored.ReaderOf(src)
	if s.vectored = s.v != nil; s.vectored {
		s.poll = vectored.PollReaderOf(s.v)
	}
	s.boundary = vectored.BoundaryOf(src)
	s.maxCall = max(s.maxCall, s.boundary.Room())
	if !s.vectored && s.boundary != vectored.Stream {
		s.boundary = vectored.Record // with its room in one slice
	}
	if d, ok := src.(interface{ SetReadDeadline(time.Time) error }); ok {
		s.setter = d.SetReadDeadline
	}
	if cfg.meter != nil {
		s.meter = &cfg.meter.source
	}
}

// Boundary returns the boundary of the source, by which the ring knows the room
// that a read needs.
func (s *source) Boundary() vectored.Boundary { return s.boundary }

func (s *source) Readv(bufs [][]byte) (int, error) {
	bufs, offered, err := s.cut(bufs, s.maxCall)
	if err == nil {
		err = s.begin(offered)
	}
	if err != nil {
		return 0, err
	}
	n, err := s.read(bufs)
	n, err = s.end(n, offered, err)
	if s.reveal && err == nil && n > vectored.Packet.Room() {
		s.reveal = false
		err = errStream
	}
	return n, err
}

// read makes one call.
func (s *source) read(bufs [][]byte) (n int, err error) {
	if s.v == nil {
		return s.src.Read(bufs[0])
	}
	n, err = s.v.Readv(bufs)
	if s.direct.Refused(err) {
		n, err = s.v.Readv(bufs)
	}
	return n, err
}

// Read makes source a vectored.Reader. The ring calls Readv.
func (s *source) Read(b []byte) (int, error) { return s.Readv([][]byte{b}) }

// A sink writes out of the ring.
type sink struct {
	side
	dst  io.Writer
	v    vectored.Writer     // nil if dst has none
	poll vectored.PollWriter // nil if a write may wait, and for a Copy (see handOver)

	most  int   // the most that a call is offered of the present ring
	early error // that of a write that the source's goroutine has made
}

func (s *sink) init(dst io.Writer, cfg config, wake seam.Token) {
	s.side.init(cfg, wake)
	s.dst, s.v = dst, vectored.WriterOf(dst)
	if s.vectored = s.v != nil; s.vectored && cfg.direction != 0 {
		s.poll = vectored.PollWriterOf(s.v)
	}
	if d, ok := dst.(interface{ SetWriteDeadline(time.Time) error }); ok {
		s.setter = d.SetWriteDeadline
	}
	if cfg.meter != nil {
		s.meter = &cfg.meter.sink
	}
}

func (s *sink) Writev(bufs [][]byte) (n int, err error) {
	bufs, offered, err := s.cut(bufs, s.most)
	if err == nil {
		err = s.begin(offered)
	}
	if err != nil {
		return 0, err
	}
	least := offered
	if s.v != nil {
		least = 1
		n, err = s.v.Writev(bufs)
		if s.direct.Refused(err) {
			n, err = s.v.Writev(bufs)
		}
	} else {
		n, err = s.dst.Write(bufs[0])
	}
	if err == nil && n >= 0 && n < least {
		err = io.ErrShortWrite
	}
	return s.end(n, offered, err)
}

// clip cuts bufs to n bytes, and returns how many they have.
func clip(bufs [][]byte, n int) ([][]byte, int) {
	offered := 0
	for i, b := range bufs {
		if len(b) >= n-offered {
			bufs[i] = b[: n-offered : n-offered]
			return bufs[:i+1], n
		}
		offered += len(b)
	}
	return bufs, offered
}
