package main

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
)

// A payload is a stream of random bytes that repeats itself at a distance that
// no buffer has. Its check costs a fraction of what moving it does.
type payload struct {
	bytes []byte
	at    int
}

// payloadBytes are made once. Their number is odd.
var payloadBytes = func() []byte {
	b := make([]byte, 5<<20+4321)
	rand.NewChaCha8([32]byte{2}).Read(b)
	return b
}()

func newPayload() *payload { return &payload{bytes: payloadBytes} }

// next returns the next of the stream's bytes, n or fewer.
func (p *payload) next(n int) []byte {
	b := p.bytes[p.at:min(p.at+n, len(p.bytes))]
	p.at = (p.at + len(b)) % len(p.bytes)
	return b
}

// check compares b with the next of the stream's bytes.
func (p *payload) check(b []byte) error {
	for len(b) > 0 {
		want := p.next(len(b))
		if !bytes.Equal(b[:len(want)], want) {
			return fmt.Errorf("other bytes than were sent")
		}
		b = b[len(want):]
	}
	return nil
}

// sum returns the checksum of the stream's first n bytes.
func (p *payload) sum(n int) (crc uint32) {
	for p.at = 0; n > 0; {
		b := p.next(n)
		crc, n = crc32.Update(crc, castagnoli, b), n-len(b)
	}
	return crc
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)
