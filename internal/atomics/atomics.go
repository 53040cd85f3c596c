//go:build !interleave

// Package atomics gives the ring its shared words and its parking: those of
// sync/atomic and a channel. Under the build tag interleave they are types that
// hand control to the interleaving explorer at each operation.
package atomics

import "sync/atomic"

type (
	Uint64         = atomic.Uint64
	Uint32         = atomic.Uint32
	Int32          = atomic.Int32
	Pointer[T any] = atomic.Pointer[T]
)

// A Token is what a parked goroutine waits for.
type Token = chan struct{}

// NewToken returns a token that is not there yet.
func NewToken() Token { return make(Token, 1) }

// Post puts the token there, if it is not yet. It never blocks.
func Post(t Token) {
	select {
	case t <- struct{}{}:
	default:
	}
}

// Take parks until the token is there, takes it and returns true; or until
// done is closed, and returns false. A nil done never is.
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

// TouchRead and TouchWrite announce that the caller now reads or writes n bytes
// of the ring memory mem, from off on and over the wrap. Here they are nothing.
func TouchRead(mem []byte, off, n int)  {}
func TouchWrite(mem []byte, off, n int) {}

// Owned announces that the caller now uses fields that belong to one goroutine
// at a time and are known by p. Here it is nothing.
func Owned[T any](p *T) {}
