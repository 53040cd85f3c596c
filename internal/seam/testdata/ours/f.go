// Package ours uses package seam as the ring does.
package ours

import (
	_ "sync/atomic" // as the root package does, see intrinsics.go

	"github.com/bytering/bytering/internal/seam"
)

type half struct {
	word, target seam.Uint64
	token        seam.Token
	busy         bool
}

func (h *half) move(dst, src []byte, from, to uint64) bool {
	seam.Owned(&h.busy)
	h.busy = true
	seam.TouchWrite(dst, 0, len(dst))
	copy(dst, src)
	seam.TouchRead(src, 0, len(src))
	if !h.word.CompareAndSwap(from, to) {
		return false
	}
	if t := h.target.Load(); t != 0 && h.target.CompareAndSwap(t, 0) {
		seam.Post(h.token)
	}
	return true
}

func (h *half) sleep(done <-chan struct{}) bool {
	h.target.Store(1)
	return seam.Take(h.token, done)
}
