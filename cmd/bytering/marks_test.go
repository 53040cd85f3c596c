package main

import "testing"

// isOpen reports whether what waits for the channel may go on.
func isOpen(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// TestMarks goes through what the ends do, and looks which of them may go on.
func TestMarks(t *testing.T) {
	m := newMarks(100, 2, 60, 20)
	for i, step := range []struct {
		do                  func()
		read, first, second bool
	}{
		{func() { m.hasRead(59, false) }, true, false, false},
		{func() { m.hasRead(1, false) }, true, true, true},
		{func() { m.hasWritten(0, 60) }, true, false, true},  // it has emptied its ring
		{func() { m.hasRead(40, false) }, false, true, true}, // the other one's is full
		{func() { m.hasWritten(0, 40) }, false, false, true}, // empty again
		{func() { m.hasWritten(1, 79) }, false, false, true}, // 21 are left
		{func() { m.hasWritten(1, 1) }, true, false, true},   // 20
		{func() { m.hasRead(80, false) }, false, true, true}, // full again
		{func() { m.hasWritten(0, 60) }, false, true, true},  // and 100 left of the other one's
		{func() { m.gone(1) }, true, true, true},             // which holds nothing back now
		{func() { m.hasWritten(0, 20) }, true, false, true},  // empty
		{func() { m.hasRead(1, true) }, true, true, true},    // the end
		{func() { m.hasWritten(0, 1) }, true, true, true},    // of all
	} {
		step.do()
		if isOpen(m.resume) != step.read || isOpen(m.start[0]) != step.first || isOpen(m.start[1]) != step.second {
			t.Errorf("step %d: reading %v, writing %v and %v; want %v, %v and %v", i,
				isOpen(m.resume), isOpen(m.start[0]), isOpen(m.start[1]), step.read, step.first, step.second)
		}
	}
}
