package main

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"time"

	"github.com/bytering/bytering/pump"
)

// relays measures a proxy between two connections.
func relays() suite {
	s := suite{
		name:     "relay",
		title:    "A source, a proxy and a sink, over TCP on the loopback",
		op:       "chunk",
		sizes:    []int{4 << 10, 32 << 10, 256 << 10, 1 << 20},
		duration: 200 * time.Millisecond,
		metrics:  []metric{throughput(), processor("source, proxy and sink", cpu)},
		legend: []string{
			"The column is the size of the source's writes. The sink reads up to 1 MiB and computes a checksum. All three run in one process, so the processor time is that of all.",
			"io.Copy splices on Linux: the bytes stay in the kernel.",
			"pump.Copy has a ring of 1 MiB, as much memory as readahead has in 4 × 256 KiB, and of 4 MiB from 1 GB/s on, as in 4 × 1 MiB, which are readahead's default.",
			"readahead passes on nothing before a buffer is full or the stream ends, so it reads and writes least in small pieces, and would hold up a message.",
		},
	}
	for _, w := range []way{
		pumping(""),
		pumping(", ring of 256 KiB", pump.Capacity(256<<10)),
		pumping(", ring of 4 MiB", pump.Capacity(4<<20)),
		ioCopy,
		plain(32 << 10),
		plain(256 << 10),
		nioing(256 << 10),
		reading(4, 256<<10),
		reading(4, 1<<20),
	} {
		s.contenders = append(s.contenders, contender{w.name, w.ours, false, func(_ config, size int) (trial, error) {
			return newRelay(w, size)
		}})
	}
	return s
}

// A relay is a trial of a proxy.
type relay struct {
	way                     way
	size                    int
	source, in, out, sink   *net.TCPConn
	buf                     []byte
	sent, relayed, received int64
	crc                     uint32
}

func newRelay(w way, size int) (*relay, error) {
	r := &relay{way: w, size: size, buf: make([]byte, 1<<20)}
	var err error
	if r.source, r.in, err = connection(); err != nil {
		return nil, err
	}
	r.out, r.sink, err = connection()
	return r, err
}

// connection returns both ends of a TCP connection.
func connection() (a, b *net.TCPConn, err error) {
	l, err := listenTCP()
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	return l.tcp()
}

// tcp is connect of a place for TCP.
func (l place) tcp() (a, b *net.TCPConn, err error) {
	c, d, err := l.connect()
	if err != nil {
		return nil, nil, err
	}
	return c.(*net.TCPConn), d.(*net.TCPConn), nil
}

func (r *relay) run(n int) error {
	errs := make(chan error, 2)
	go func() {
		err := r.send(n)
		errs <- errors.Join(err, r.source.CloseWrite())
	}()
	go func() {
		var err error
		r.relayed, err = r.way.copy(r.out, r.in)
		if err != nil {
			r.in.Close()
		}
		errs <- errors.Join(err, r.out.CloseWrite())
	}()
	err := r.receive()
	if err != nil {
		r.sink.Close()
	}
	return errors.Join(err, <-errs, <-errs)
}

func (r *relay) send(n int) error {
	p := newPayload()
	for left := int64(n) * int64(r.size); left > 0; {
		b := p.next(int(min(left, int64(r.size))))
		if err := writeChunk(r.source, b); err != nil {
			return err
		}
		left -= int64(len(b))
		r.sent += int64(len(b))
	}
	return nil
}

func (r *relay) receive() error {
	for {
		n, err := r.sink.Read(r.buf)
		r.received += int64(n)
		r.crc = crc32.Update(r.crc, castagnoli, r.buf[:n])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *relay) finish() error {
	err := errors.Join(r.source.Close(), r.in.Close(), r.out.Close(), r.sink.Close())
	if r.relayed != r.sent || r.received != r.sent {
		return errors.Join(err, fmt.Errorf("%d bytes sent, %d relayed, %d received", r.sent, r.relayed, r.received))
	}
	if newPayload().sum(int(r.sent)) != r.crc {
		err = errors.Join(err, errors.New("other bytes than were sent"))
	}
	return err
}
