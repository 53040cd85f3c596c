//go:build !interleave

package bytering

import (
	"errors"
	"io"
)

// callback makes a call of IOSlices, and returns what that moved. touch uses
// the first n bytes of what is offered.
func (h *randomHalf) callback(ioSlices func(func([][]byte, int) (int, error)) (int, error), touch func(bufs [][]byte, n int)) int {
	least := h.there()
	var ran, panicked bool
	var offered, given int
	var givenErr error
	n, err := h.call("IOSlices", least, nil, func() (n int, err error) {
		defer func() {
			if panicked {
				recover()
			}
		}()
		return ioSlices(func(bufs [][]byte, all int) (int, error) {
			ran, offered = true, all
			h.offered("IOSlices", least, bufs...)
			switch h.rng.IntN(12) {
			case 0: // as one that only looks
			case 1:
				given, givenErr = h.rng.IntN(all+1), errCallback
			case 2:
				given = -1
			case 3:
				given, givenErr = all+1, errCallback
			case 4:
				panicked = true
				panic(errCallback)
			default:
				given = h.rng.IntN(all + 1)
			}
			if given >= 0 && given <= all {
				touch(bufs, given)
			}
			return given, givenErr
		})
	})
	switch {
	case panicked:
	case !ran && n == 0 && err != nil && h.means(err):
	case ran && (given < 0 || given > offered) && n == 0 && errors.Is(err, ErrInvalidCount) && (givenErr == nil || errors.Is(err, givenErr)):
	case ran && given >= 0 && given <= offered && n == given && err == givenErr:
	case ran && n == 0 && errors.Is(err, io.ErrClosedPipe) && h.asked.Load() != 0 && (givenErr == nil || errors.Is(err, givenErr)):
	default:
		h.fail("%s: IOSlices is %d, %v; its callback ran %t and returned %d of %d, %v", h.name, n, err, ran, given, offered, givenErr)
	}
	return n
}

// tooMuch gives back a count that is none, with Commit or Discard.
func (h *randomHalf) tooMuch(giveBack func(n int) error) {
	n := []int{-1, h.end.Cap() + 1}[h.rng.IntN(2)]
	before, panicked := h.end.Err(), true
	_, err := h.call("giving back too much", n, nil, func() (int, error) {
		defer func() {
			if panicked {
				recover()
			}
		}()
		err := giveBack(n)
		panicked = false
		return 0, err
	})
	closed := h.asked.Load() != 0
	if panicked && n > 0 && closed && before == io.ErrClosedPipe || !panicked && (n < 0 || !closed || err != io.ErrClosedPipe) {
		h.fail("%s: giving back %d bytes panics %t, %v, and was closed %t", h.name, n, panicked, err, closed)
	}
}

// offered checks slices that a call has handed out, with at least so many bytes
// in them unless the end has come, and returns how many there are.
func (h *randomHalf) offered(call string, least int, bufs ...[]byte) (n int) {
	for _, b := range bufs {
		n += len(b)
		if cap(b) != len(b) {
			h.fail("%s: %s offers %d bytes of a capacity of %d", h.name, call, len(b), cap(b))
		}
	}
	if n < least && !h.cut() || n > h.end.Cap() {
		h.fail("%s: %s offers %d bytes, and %d were there", h.name, call, n, least)
	}
	return n
}
