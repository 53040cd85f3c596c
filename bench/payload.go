package main

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
)

// A payload is a stream of random bytes. It repeats after a length that no buffer
// has. Checking it costs a fraction of moving it.
type payload struct {
	bytes []byte
	at    int
}

// payloadBytes has an odd length, so that pieces never align with it.
var payloadBytes = func() []byte {
	b := make([]byte, 5<<20+4321)
	rand.NewChaCha8([32]byte{2}).Read(b)
	return b
}()

func newPayload() *payload { return &payload{bytes: payloadBytes} }

// next returns the next bytes of the stream, at most n.
func (p *payload) next(n int) []byte {
	b := p.bytes[p.at:min(p.at+n, len(p.bytes))]
	p.at = (p.at + len(b)) % len(p.bytes)
	return b
}

// check compares b with the next bytes of the stream.
func (p *payload) check(b []byte) error {
	for len(b) > 0 {
		want := p.next(len(b))
		if !bytes.Equal(b[:len(want)], want) {
			return errors.New("the bytes differ from those that were sent")
		}
		b = b[len(want):]
	}
	return nil
}

// pour writes n bytes of a payload, a piece at a time.
func pour(w io.Writer, p *payload, n, piece int) error {
	for n > 0 {
		b := p.next(min(n, piece))
		if err := writeChunk(w, b); err != nil {
			return err
		}
		n -= len(b)
	}
	return nil
}

// scoop reads n bytes of a payload, as many at a time as buf holds, and compares
// them.
func scoop(r io.Reader, p *payload, n int, buf []byte) error {
	for n > 0 {
		b := buf[:min(n, len(buf))]
		if err := readChunk(r, b); err != nil {
			return err
		}
		if err := p.check(b); err != nil {
			return err
		}
		n -= len(b)
	}
	return nil
}

// sum returns the checksum of the first n bytes of the stream.
func (p *payload) sum(n int) (crc uint32) {
	for p.at = 0; n > 0; {
		b := p.next(n)
		crc, n = crc32.Update(crc, castagnoli, b), n-len(b)
	}
	return crc
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)
