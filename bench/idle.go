package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/bytering/bytering/pump"
)

// A proxy relays both streams between two connections until they end.
type proxy struct {
	name  string
	ours  bool
	relay func(a, b *net.TCPConn) error
}

var proxies = []proxy{
	{"pump.Relay", true, func(a, b *net.TCPConn) error {
		_, _, err := pump.Relay(context.Background(), a, b)
		return err
	}},
	bothWays("io.Copy", io.Copy),
	bothWays("io.Copy, nothing but Read and Write", func(dst io.Writer, src io.Reader) (int64, error) {
		return io.Copy(struct{ io.Writer }{dst}, struct{ io.Reader }{src})
	}),
}

// bothWays is a proxy that runs copy in both directions, one on a goroutine of its
// own, and half-closes.
func bothWays(name string, copy func(io.Writer, io.Reader) (int64, error)) proxy {
	return proxy{name, false, func(a, b *net.TCPConn) error {
		one := func(dst, src *net.TCPConn) error {
			_, err := copy(dst, src)
			return errors.Join(err, dst.CloseWrite())
		}
		back := make(chan error, 1)
		go func() { back <- one(a, b) }()
		return errors.Join(one(b, a), <-back)
	}}
}

// idles measures what relays take that nothing flows through any more.
func idles(cfg config) suite {
	s := suite{
		name:  "relay-idle",
		title: "What a relayed connection takes while it idles",
		op:    "relay",
		sizes: []int{5, 4 << 20},
		ops:   func(config, int) int { return 1 },
		legend: []string{
			"The column is what has flowed each way before, through up to 100 relays at a time. Two collections have run since.",
			"The connections, whose four ends are all in this process, are not counted, except in the RSS, in which the system may keep memory that is free again.",
		},
	}
	for i, name := range []string{"heap, KiB", "stacks, KiB", "goroutines", "RSS, KiB"} {
		s.metrics = append(s.metrics, metric{
			name: name, of: figureOf(i),
		})
	}
	for _, n := range []int{1, 1000, 10_000} {
		if n*10_000 > cfg.bytes {
			s.legend = append(s.legend, fmt.Sprintf("Not measured: %d relays, for so few -bytes.", n))
			continue
		}
		const others = 1000 // descriptors that are not of connections, or of some that are being closed
		if need, allowed := 4*n+others, allowFiles(4*n+others); allowed < need {
			s.legend = append(s.legend, fmt.Sprintf("%d relays need %d descriptors, of which the system allows %d.", n, need, allowed))
			n = (allowed - others) / 4
		}
		for _, p := range proxies {
			s.contenders = append(s.contenders, contender{fmt.Sprintf("%s, %d", p.name, n), p.ours, false, func(_ config, size int) (trial, error) {
				return newIdle(p, n, size)
			}})
		}
	}
	return s
}

// An idle is a trial of relays that come to rest.
type idle struct {
	proxy   proxy
	size    int
	lines   []line
	before  usage
	done    chan error
	figures []float64
}

// A line is a client and a server with a proxy between them.
type line struct{ client, in, out, server *net.TCPConn }

// newLine makes a line of connections to a listener. Many lines have one: each
// listener would take a port for a while longer than it is open.
func newLine(at place) (l line, err error) {
	if l.client, l.in, err = at.tcp(); err == nil {
		l.out, l.server, err = at.tcp()
	}
	return l, err
}

func (l line) close() error {
	return errors.Join(l.client.Close(), l.in.Close(), l.out.Close(), l.server.Close())
}

func newIdle(p proxy, n, size int) (*idle, error) {
	i := &idle{proxy: p, size: size, lines: make([]line, n), done: make(chan error, n)}
	at, err := listenTCP()
	if err != nil {
		return nil, err
	}
	defer at.Close()
	for k := range i.lines {
		if i.lines[k], err = newLine(at); err != nil {
			return nil, err
		}
	}
	i.before = used()
	return i, nil
}

// run relays, moves the bytes, waits until no goroutine comes or goes any more, and
// looks.
func (i *idle) run(int) error {
	for _, l := range i.lines {
		go func() { i.done <- i.proxy.relay(l.in, l.out) }()
	}
	errs := make(chan error, 2*len(i.lines))
	turns := make(chan struct{}, 100)
	var wg sync.WaitGroup
	for _, l := range i.lines {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			var both sync.WaitGroup
			both.Go(func() { errs <- flow(l.client, l.server, i.size) })
			both.Go(func() { errs <- flow(l.server, l.client, i.size) })
			both.Wait()
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	for last, same := 0, 0; same < 10; time.Sleep(10 * time.Millisecond) {
		if n := runtime.NumGoroutine(); n == last {
			same++
		} else {
			last, same = n, 0
		}
	}
	after := used()
	for k := range after {
		i.figures = append(i.figures, max(0, after[k]-i.before[k])/float64(len(i.lines)))
	}
	return nil
}

// flow moves n bytes.
func flow(from, to *net.TCPConn, n int) error {
	sent := make(chan error, 1)
	go func() { sent <- pour(from, newPayload(), n, 64<<10) }()
	return errors.Join(scoop(to, newPayload(), n, make([]byte, min(n, 64<<10))), <-sent)
}

func (i *idle) report(s *sample, _ int) { s.figures = i.figures }

func (i *idle) finish() (err error) {
	for _, l := range i.lines {
		err = errors.Join(err, l.client.CloseWrite(), l.server.CloseWrite())
	}
	for range i.lines {
		err = errors.Join(err, <-i.done)
	}
	for _, l := range i.lines {
		err = errors.Join(err, l.close())
	}
	return err
}

// A usage is the KiB of heap and of stacks in use, the goroutines, and the KiB that
// the system has given.
type usage [4]float64

func used() usage {
	runtime.GC()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{float64(m.HeapAlloc) / 1024, float64(m.StackInuse) / 1024, float64(runtime.NumGoroutine()), resident()}
}

// resident returns the KiB that the system has given this process, or 0 if it
// does not say.
func resident() float64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages float64
	if _, err := fmt.Sscan(string(b), &size, &pages); err != nil {
		return 0
	}
	return pages * float64(os.Getpagesize()) / 1024
}

// news measures relays of short connections.
func news() suite {
	s := suite{
		name:  "relay-new",
		title: "New connections through a proxy, each for a message",
		op:    "connection",
		sizes: []int{1 << 10},
		metrics: []metric{took("connection"), {
			name: "bytes allocated", of: figureOf(0), what: ", bytes allocated", best: "fewest", much: "many",
		}},
		legend: []string{
			"A client dials, sends the bytes and half-closes; the server reads them to their end and closes. The two connections, their dialing and accepting are counted too.",
		},
	}
	for _, p := range proxies {
		s.contenders = append(s.contenders, contender{p.name, p.ours, false, func(_ config, size int) (trial, error) {
			at, err := listenTCP()
			return &newConns{proxy: p, size: size, at: at}, err
		}})
	}
	return s
}

// A newConns is a trial of short connections, one after the other.
type newConns struct {
	proxy     proxy
	size      int
	at        place
	allocated float64
}

func (c *newConns) run(n int) error {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	message := newPayload().next(c.size)
	got := make([]byte, c.size+1)
	for range n {
		if err := c.one(message, got); err != nil {
			return err
		}
	}
	runtime.ReadMemStats(&after)
	c.allocated = float64(after.TotalAlloc-before.TotalAlloc) / float64(n)
	return nil
}

func (c *newConns) one(message, got []byte) error {
	l, err := newLine(c.at)
	if err != nil {
		return err
	}
	relayed := make(chan error, 1)
	go func() { relayed <- c.proxy.relay(l.in, l.out) }()
	if err := errors.Join(writeChunk(l.client, message), l.client.CloseWrite()); err != nil {
		return err
	}
	if n, err := io.ReadFull(l.server, got); n != len(message) || err != io.ErrUnexpectedEOF || string(got[:n]) != string(message) {
		return fmt.Errorf("%d bytes of %d arrived, or others: %w", n, len(message), err)
	}
	if err := errors.Join(l.server.CloseWrite(), <-relayed); err != nil {
		return err
	}
	return l.close()
}

func (c *newConns) report(s *sample, _ int) { s.figures = []float64{c.allocated} }

func (c *newConns) finish() error { return c.at.Close() }
