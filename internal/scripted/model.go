//go:build linux || dragonfly || freebsd || netbsd

package scripted

import (
	"errors"
	"syscall"
)

// ErrLie stands for the error that a count out of range is told by.
var ErrLie = errors.New("scripted: a count out of range")

// Retried tells whether the call that met the step is made again.
func (s Step) Retried() bool {
	return s.Lie == 0 && (s.Errno == syscall.EINTR || s.Errno == syscall.EAGAIN && s.Wait == nil)
}

// Err returns what the step fails a call with, where end is for a count of 0.
func (s Step) Err(end error) error {
	switch {
	case s.Lie != 0:
		return ErrLie
	case s.Retried():
		return nil
	case s.Wait != nil:
		return s.Wait
	case s.Errno != 0:
		return s.Errno
	case s.N == 0:
		return end
	}
	return nil
}

// A Model tells what must come of calls on a script, apart from the one that
// runs it. The script goes on with After for ever.
type Model struct {
	Steps []Step
	After Step
	End   error // what a count of 0 means

	Taken int   // steps, those of After too
	Moved int64 // bytes
}

// Call is one readv or writev with room for so many bytes. No room, no call.
func (m *Model) Call(room int) (n int, err error) {
	for room > 0 {
		step := m.After
		if m.Taken < len(m.Steps) {
			step = m.Steps[m.Taken]
		}
		m.Taken++
		if step.Retried() {
			continue
		}
		if err := step.Err(m.End); err != nil {
			return 0, err
		}
		n = min(step.N, room)
		m.Moved += int64(n)
		return n, nil
	}
	return 0, nil
}

// Full is calls until there is no more room, or one fails.
func (m *Model) Full(room int) (done int, err error) {
	for done < room && err == nil {
		var n int
		n, err = m.Call(room - done)
		done += n
	}
	return done, err
}
