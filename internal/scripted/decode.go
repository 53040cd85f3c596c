//go:build linux || dragonfly || freebsd || netbsd

package scripted

import (
	"os"
	"syscall"
)

// The kinds of steps in a tape for [Decode]. Each is followed by a byte x.
const (
	Some      byte = iota // moves x+1 bytes
	All                   // moves as much as there is room for
	Interrupt             // EINTR
	Again                 // EAGAIN, and the wait succeeds
	Deadline              // EAGAIN, and the deadline ends the wait
	End                   // returns 0
	Fail                  // one of four errors
	Below                 // a count of -1-x
	Above                 // a count x+1 above what there is room for
	kinds
)

// Most is the most steps that [Decode] returns.
const Most = 64

var failures = [...]syscall.Errno{syscall.EIO, syscall.ENOSPC, syscall.ECONNRESET, syscall.EPIPE}

// Decode makes a script of any bytes, for fuzzing.
func Decode(tape []byte) (steps []Step) {
	for ; len(tape) > 1 && len(steps) < Most; tape = tape[2:] {
		x := int(tape[1])
		var s Step
		switch tape[0] % kinds {
		case Some:
			s.N = x + 1
		case All:
			s.N = 1 << 30
		case Interrupt:
			s.Errno = syscall.EINTR
		case Again:
			s.Errno = syscall.EAGAIN
		case Deadline:
			s.Errno, s.Wait = syscall.EAGAIN, os.ErrDeadlineExceeded
		case Fail:
			s.Errno = failures[x%len(failures)]
		case Below:
			s.Lie = -1 - x
		case Above:
			s.Lie = x + 1
		}
		steps = append(steps, s)
	}
	return steps
}

// Seeds are scripts for [Decode] that have every kind of step at the beginning,
// in the middle and at the end.
var Seeds = [][]byte{
	nil,
	{Some, 0},
	{Some, 4, Some, 0, Some, 11, All, 0},
	{Interrupt, 0, Some, 2, Interrupt, 0, Interrupt, 0, Again, 0, Some, 6, Again, 0, All, 0, Interrupt, 0},
	{Deadline, 0, Some, 3, Deadline, 0, Again, 0, Deadline, 0, Some, 1, Deadline, 0},
	{End, 0, Some, 5, End, 0, End, 0, Some, 1, Interrupt, 0, End, 0},
	{Fail, 0, Some, 7, Fail, 1, Some, 1, Interrupt, 0, Fail, 2, All, 0, Again, 0, Fail, 3},
	{Below, 0, Some, 2, Below, 255, Some, 3, Interrupt, 0, Below, 0},
	{Above, 0, Some, 2, Above, 255, Some, 3, Again, 0, Above, 0},
	{Some, 1, Above, 0, Fail, 1, Below, 1, End, 0, Deadline, 0, Interrupt, 0, Again, 0, All, 0, Fail, 0, Above, 9},
	{All, 0, All, 0, All, 0, All, 0, All, 0, Fail, 3},
}
