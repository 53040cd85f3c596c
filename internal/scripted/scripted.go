//go:build linux || dragonfly || freebsd || netbsd

// Package scripted is a kernel for tests. It has descriptors for which a script,
// instead of the system, decides what each system call of package vectored does.
// Calls on other descriptors go to the system.
//
// A [Source] hands out the stream of package pattern, and a [Sink] keeps exactly what
// it has accepted, so that a test can compare bytes.
package scripted

import (
	"io"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/bytering/bytering/internal/pattern"
)

// A Step is what one read or write does. The first of Lie, Errno and N that is not 0
// decides.
type Step struct {
	// N is how many bytes it moves, if there is room for so many. A read of 0
	// bytes is the end.
	N int
	// Errno is its error. EINTR and EAGAIN make the caller call again, which is the
	// next step.
	Errno syscall.Errno
	// Wait is the error of the wait after EAGAIN. Nil makes the caller call again.
	Wait error
	// Lie makes it return a count that is out of range, without moving a byte. A
	// negative Lie is the count; a positive one is added to the room.
	Lie int
}

// A script is the steps that are left.
type script struct {
	mu    sync.Mutex
	steps []Step
	after Step // those, for ever
	calls int
}

// next takes a step. It returns how many bytes the step moves, and the count that it
// returns. The caller holds mu.
func (s *script) next(room int) (moves, n int, step Step) {
	s.calls++
	step = s.after
	if len(s.steps) > 0 {
		step, s.steps = s.steps[0], s.steps[1:]
	}
	switch {
	case step.Lie < 0:
		return 0, step.Lie, step
	case step.Lie > 0:
		return 0, room + step.Lie, step
	case step.Errno != 0:
		return 0, 0, step
	}
	n = min(step.N, room)
	return n, n, step
}

// Calls returns how many reads or writes were made, including failed ones.
func (s *script) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// Left returns how many steps were not taken.
func (s *script) Left() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.steps)
}

// A Source is a descriptor to read from, for vectored.NewReader. Its own Read takes
// the same steps.
type Source struct {
	conn
	script
	pos int64
}

// NewSource returns a Source that ends after the steps.
func NewSource(t testing.TB, steps ...Step) *Source {
	s := &Source{script: script{steps: steps}}
	s.open(t, s.read)
	return s
}

// Position returns how many bytes it has handed out: those of package
// pattern up to there.
func (s *Source) Position() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pos
}

func (s *Source) read(bufs [][]byte) (int, Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	moves, n, step := s.next(room(bufs))
	for _, b := range bufs {
		b = b[:min(len(b), moves)]
		pattern.Fill(b, uint64(s.pos))
		s.pos += int64(len(b))
		moves -= len(b)
	}
	return n, step
}

// Read reads as an os.File does. It returns the count of a Lie.
func (s *Source) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		n, step := s.read([][]byte{b})
		if again, err := step.outcome("read"); err != nil {
			return 0, err
		} else if again {
			continue
		}
		if n == 0 {
			return 0, io.EOF
		}
		return n, nil
	}
}

// A Sink is a descriptor to write to, for vectored.NewWriter. Its own Write takes the
// same steps.
type Sink struct {
	conn
	script
	got []byte
}

// NewSink returns a Sink that accepts everything after the steps.
func NewSink(t testing.TB, steps ...Step) *Sink {
	s := &Sink{script: script{steps: steps, after: Step{N: 1 << 30}}}
	s.open(t, s.write)
	return s
}

// Bytes returns what it has accepted.
func (s *Sink) Bytes() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]byte(nil), s.got...)
}

func (s *Sink) write(bufs [][]byte) (int, Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	moves, n, step := s.next(room(bufs))
	for _, b := range bufs {
		b = b[:min(len(b), moves)]
		s.got = append(s.got, b...)
		moves -= len(b)
	}
	return n, step
}

// Write writes everything or returns an error, as an os.File does. It returns the
// count of a Lie if nothing was written before.
func (s *Sink) Write(b []byte) (done int, err error) {
	for done < len(b) {
		n, step := s.write([][]byte{b[done:]})
		if again, err := step.outcome("write"); err != nil {
			return done, err
		} else if again {
			continue
		}
		switch {
		case step.Lie != 0 && done == 0:
			return n, nil
		case step.Lie != 0:
			return done, io.ErrShortWrite
		case n == 0:
			return done, io.ErrUnexpectedEOF
		}
		done += n
	}
	return done, nil
}

// outcome reports whether another attempt follows the step, and returns the error that
// it ends a Read or Write with.
func (s Step) outcome(op string) (again bool, err error) {
	switch {
	case s.Lie != 0 || s.Errno == 0:
		return false, nil
	case s.Errno == syscall.EINTR:
		return true, nil
	case s.Errno == syscall.EAGAIN:
		runtime.Gosched()
		return true, s.Wait
	}
	return false, os.NewSyscallError(op, s.Errno)
}

func room(bufs [][]byte) (n int) {
	for _, b := range bufs {
		n += len(b)
	}
	return n
}
