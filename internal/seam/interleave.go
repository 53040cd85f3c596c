//go:build interleave

// Package seam has the words, tokens, locks and clock that goroutines share: here
// those that the interleaving explorer drives.
package seam

import "github.com/bytering/bytering/internal/interleave"

type (
	Uint64         = interleave.Uint64
	Uint32         = interleave.Uint32
	Int32          = interleave.Int32
	Pointer[T any] = interleave.Pointer[T]
	Mutex          = interleave.Mutex
	Token          = *interleave.Token
	Timer          = interleave.Timer
)

func Now() uint64 { return interleave.Now() }

func NewToken() Token                         { return new(interleave.Token) }
func Post(t Token)                            { t.Post() }
func Drain(t Token)                           { t.Drain() }
func Chan(t Token) <-chan struct{}            { return nil } // scenarios take the token
func Take(t Token, done <-chan struct{}) bool { return t.Take(done) }
func Owned[T any](p *T)                       { interleave.Owned(p) }

func TouchRead(mem []byte, off, n int)  { touch(interleave.TouchRead, mem, off, n) }
func TouchWrite(mem []byte, off, n int) { touch(interleave.TouchWrite, mem, off, n) }

func touch(touch func([]byte), mem []byte, off, n int) {
	first := min(n, len(mem)-off)
	touch(mem[off : off+first])
	touch(mem[:n-first])
}
