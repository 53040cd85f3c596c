//go:build !interleave

// Package atomics gives the library its shared words and its parking.
package atomics

import "sync/atomic"

type (
	Uint64         = atomic.Uint64
	Uint32         = atomic.Uint32
	Int32          = atomic.Int32
	Pointer[T any] = atomic.Pointer[T]
	Token          = chan struct{}
)

func NewToken() Token { return make(Token, 1) }

func Post(t Token) {
	select {
	case t <- struct{}{}:
	default:
	}
}

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

func TouchRead(b []byte)  {}
func TouchWrite(b []byte) {}
func Owned[T any](p *T)   {}
