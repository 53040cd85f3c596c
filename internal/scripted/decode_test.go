//go:build linux || dragonfly || freebsd || netbsd

package scripted

import (
	"io"
	"os"
	"syscall"
	"testing"
)

// TestDecode checks that a fuzzer's bytes still mean what its seeds were written
// for.
func TestDecode(t *testing.T) {
	again := Step{Errno: syscall.EAGAIN}
	for _, tc := range []struct {
		tape []byte
		step Step
		err  error
		more bool // whether the call is made again
	}{
		{[]byte{Some, 0}, Step{N: 1}, nil, false},
		{[]byte{Some + kinds, 255}, Step{N: 256}, nil, false},
		{[]byte{All, 9}, Step{N: 1 << 30}, nil, false},
		{[]byte{Interrupt, 0}, Step{Errno: syscall.EINTR}, nil, true},
		{[]byte{Again, 0}, again, nil, true},
		{[]byte{Deadline, 0}, Step{Errno: syscall.EAGAIN, Wait: os.ErrDeadlineExceeded}, os.ErrDeadlineExceeded, false},
		{[]byte{End, 0}, Step{}, io.EOF, false},
		{[]byte{Fail, 0}, Step{Errno: syscall.EIO}, syscall.EIO, false},
		{[]byte{Fail, 5}, Step{Errno: syscall.ENOSPC}, syscall.ENOSPC, false},
		{[]byte{Below, 0}, Step{Lie: -1}, ErrLie, false},
		{[]byte{Above, 0}, Step{Lie: 1}, ErrLie, false},
	} {
		steps := Decode(tc.tape)
		if len(steps) != 1 || steps[0] != tc.step {
			t.Errorf("%v decodes to %+v, want %+v", tc.tape, steps, tc.step)
			continue
		}
		if err := steps[0].Err(io.EOF); err != tc.err || steps[0].Retried() != tc.more {
			t.Errorf("%+v: %v, retried %v", steps[0], err, steps[0].Retried())
		}
	}
	if n := len(Decode(make([]byte, 1000))); n != Most {
		t.Errorf("1000 bytes decode to %d steps", n)
	}
	if n := len(Decode([]byte{Some})); n != 0 {
		t.Errorf("half a step decodes to %d steps", n)
	}
}

func TestSeedsHaveEveryKind(t *testing.T) {
	var seen [kinds]bool
	for _, tape := range Seeds {
		for i := 0; i < len(tape); i += 2 {
			seen[tape[i]] = true
		}
	}
	for kind, ok := range seen {
		if !ok {
			t.Errorf("no seed has a step of kind %d", kind)
		}
	}
}

func TestModel(t *testing.T) {
	m := &Model{Steps: []Step{{N: 3}, {Errno: syscall.EINTR}, {N: 9}, {Lie: 2}, {Errno: syscall.EIO}}, End: io.EOF}
	for i, w := range []want{{3, nil}, {5, nil}, {0, ErrLie}, {0, syscall.EIO}, {0, io.EOF}, {0, io.EOF}} {
		if n, err := m.Call(5); n != w.n || err != w.err {
			t.Errorf("call %d: %d, %v; want %d, %v", i, n, err, w.n, w.err)
		}
	}
	if n, err := m.Call(0); n != 0 || err != nil || m.Taken != 7 || m.Moved != 8 {
		t.Errorf("without room: %d, %v; the model is %+v", n, err, m)
	}
	m = &Model{Steps: []Step{{N: 3}, {N: 1}, {Errno: syscall.EIO}}, After: Step{N: 100}}
	if n, err := m.Full(9); n != 4 || err != syscall.EIO {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := m.Full(9); n != 9 || err != nil || m.Moved != 13 {
		t.Errorf("%d, %v; %+v", n, err, m)
	}
}
