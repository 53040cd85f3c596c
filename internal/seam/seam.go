//go:build !interleave

// Package seam has the words, tokens, locks and clock that goroutines share. They
// are those of packages sync/atomic, sync and time, and channels. With the build tag
// interleave they are types that hand control to the interleaving explorer at each
// operation.
package seam

import (
	"sync"
	"sync/atomic"
	"time"
)

type (
	Uint64         = atomic.Uint64
	Uint32         = atomic.Uint32
	Int32          = atomic.Int32
	Pointer[T any] = atomic.Pointer[T]
	Mutex          = sync.Mutex
)

// A Token wakes a parked goroutine.
type Token = chan struct{}

// NewToken returns a token that has not been posted.
func NewToken() Token { return make(Token, 1) }

// Post puts the token there, unless it is there already. It never blocks.
func Post(t Token) {
	select {
	case t <- struct{}{}:
	default:
	}
}

// Drain takes the token away if it is there.
func Drain(t Token) {
	select {
	case <-t:
	default:
	}
}

// Chan returns a channel from which others can receive the token.
func Chan(t Token) <-chan struct{} { return t }

// Take parks until the token is there or done is closed. It reports whether it has
// taken the token. A nil done is never closed.
func Take(t Token, done <-chan struct{}) bool {
	if done == nil {
		<-t
		return true
	}
	select {
	case <-t:
		return true
	case <-done:
		return false
	}
}

// began is when the clock showed 1<<62. The clock does not begin at 0, because in a
// bubble of testing/synctest the time is years earlier.
var began = time.Now()

// Now returns the nanoseconds of a monotonic clock, above 1 and below 1<<63.
func Now() uint64 { return uint64(1<<62 + time.Since(began)) }

// A Timer posts a token later on. One goroutine at a time may set it, and any
// may stop it at any time.
type Timer struct{ t atomic.Pointer[time.Timer] }

// Set makes the timer post the token k at the moment at, and not at an earlier
// one that it was set for before. It is now. The timer keeps the first k.
func (x *Timer) Set(k Token, now, at uint64) {
	d := time.Duration(at - now)
	if t := x.t.Load(); t != nil {
		t.Reset(d)
		return
	}
	x.t.Store(time.AfterFunc(d, func() { Post(k) }))
}

// Stop keeps the timer from posting, until it is set again, and lets the
// runtime forget it.
func (x *Timer) Stop() {
	if t := x.t.Load(); t != nil {
		t.Stop()
	}
}

// TouchRead and TouchWrite announce that the caller now reads or writes n bytes of
// the ring memory mem, from off on and over the wrap. They do nothing here.
func TouchRead(mem []byte, off, n int)  {}
func TouchWrite(mem []byte, off, n int) {}

// Owned announces that the caller now uses fields that belong to one goroutine at a
// time; p identifies them. It does nothing here.
func Owned[T any](p *T) {}
