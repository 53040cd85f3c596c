//go:build linux || dragonfly || freebsd || netbsd

package scripted

import (
	"errors"
	"syscall"
)

// ErrLie stands for the error of a count that is out of range.
var ErrLie = errors.New("scripted: a count out of range")

// Retried reports whether the caller calls again after the step.
func (s Step) Retried() bool {
	return s.Lie == 0 && (s.Errno == syscall.EINTR || s.Errno == syscall.EAGAIN && s.Wait == nil)
}

// Err returns the error that the step gives a call. end is that of a count of 0.
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

// A Model predicts the results of calls on a script. After the script come After
// steps for ever.
type Model struct {
	Steps []Step
	After Step
	End   error // of a count of 0

	Taken int   // steps, including After
	Moved int64 // bytes
}

// Call predicts one readv or writev with the room. Without room there is no call.
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

// Full predicts calls until there is no more room, or one fails.
func (m *Model) Full(room int) (done int, err error) {
	for done < room && err == nil {
		var n int
		n, err = m.Call(room - done)
		done += n
	}
	return done, err
}
