package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
)

// A busyWriter works on the bytes before each Write.
type busyWriter struct {
	io.WriteCloser
	work func([]byte)
}

func (w busyWriter) Write(b []byte) (int, error) {
	w.work(b)
	return w.WriteCloser.Write(b)
}

// A busyReader works on the bytes after each Read.
type busyReader struct {
	io.Reader
	work func([]byte)
}

func (r busyReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if n > 0 && n <= len(b) {
		r.work(b[:n])
	}
	return n, err
}

func (r busyReader) Close() error {
	if c, ok := r.Reader.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// A hashed is a stream whose ends both hash all bytes with SHA-256.
type hashed struct {
	*stream
	sent, got hash.Hash
}

func hashing(s *stream) trial {
	h := hashed{s, sha256.New(), sha256.New()}
	s.w = busyWriter{s.w, func(b []byte) { h.sent.Write(b) }}
	s.r = busyReader{s.r, func(b []byte) { h.got.Write(b) }}
	return h
}

func (h hashed) finish() error {
	err := h.stream.finish()
	if sent, got := h.sent.Sum(nil), h.got.Sum(nil); string(sent) != string(got) {
		err = errors.Join(err, fmt.Errorf("the bytes read hash to %x, those written to %x", got, sent))
	}
	return err
}
