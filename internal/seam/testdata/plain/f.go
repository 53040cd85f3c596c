// Package plain is package ours with sync/atomic and a channel.
package plain

import "sync/atomic"

type half struct {
	word, target atomic.Uint64
	token        chan struct{}
	busy         bool
}

func (h *half) move(dst, src []byte, from, to uint64) bool {
	h.busy = true
	copy(dst, src)
	if !h.word.CompareAndSwap(from, to) {
		return false
	}
	if t := h.target.Load(); t != 0 && h.target.CompareAndSwap(t, 0) {
		post(h.token)
	}
	return true
}

func (h *half) sleep(done <-chan struct{}) bool {
	h.target.Store(1)
	return take(h.token, done)
}

func post(t chan struct{}) {
	select {
	case t <- struct{}{}:
	default:
	}
}

func take(t chan struct{}, done <-chan struct{}) bool {
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
