// Package ours uses package atomics as the ring does.
package ours

import (
	_ "sync/atomic" // as the root package does, see intrinsics.go

	"github.com/bytering/bytering/internal/atomics"
)

type half struct {
	word, target atomics.Uint64
	token        atomics.Token
	busy         bool
}

func (h *half) move(dst, src []byte, from, to uint64) bool {
	atomics.Owned(&h.busy)
	h.busy = true
	atomics.TouchWrite(dst, 0, len(dst))
	copy(dst, src)
	atomics.TouchRead(src, 0, len(src))
	if !h.word.CompareAndSwap(from, to) {
		return false
	}
	if t := h.target.Load(); t != 0 && h.target.CompareAndSwap(t, 0) {
		atomics.Post(h.token)
	}
	return true
}

func (h *half) sleep(done <-chan struct{}) bool {
	h.target.Store(1)
	return atomics.Take(h.token, done)
}
