package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A tcp is an end that is one TCP connection.
type tcp struct {
	network string // "tcp", or "tcp4" or "tcp6" for one version of IP
	address string // HOST:PORT, to connect to or to listen on
	listen  bool
	allow   string        // of those that connect only this host, if it is not empty
	patient time.Duration // how long it tries to connect to a port that refuses
	buffer  int           // of the socket, in bytes, or 0 for the system's choice
	timeout time.Duration // of data that are not acknowledged, or 0 for the system's
}

// connecting is how long to try a port that refuses. The program that listens
// there may be about to start.
const connecting = 10 * time.Second

// newTCP returns the connection that a place stands for.
func newTCP(p place, cfg *config) (*tcp, error) {
	t := &tcp{network: "tcp", listen: p.kind != dial, buffer: cfg.connBuffer.bytes, timeout: cfg.timeout}
	if p.family != 0 {
		t.network += strconv.Itoa(p.family)
	}
	host, port := splitLast(p.name)
	switch {
	case port == "", p.kind == dial && host == "":
		return nil, fail(exitRefused, "open %v: not HOST:PORT", p)
	case p.kind == listenAll:
		t.allow, host = host, ""
	case p.kind == listen && host == "":
		host = loopback[t.network]
	}
	if p.kind == dial && cfg.as == asBytering {
		t.patient = connecting
	}
	t.address = net.JoinHostPort(host, port)
	return t, nil
}

// loopback is the address to listen on if no host is given.
var loopback = map[string]string{"tcp": "127.0.0.1", "tcp4": "127.0.0.1", "tcp6": "::1"}

// splitLast splits at the last colon, as mbuffer does, which has no brackets
// around an IPv6 address. Brackets are accepted too.
func splitLast(at string) (host, port string) {
	i := strings.LastIndex(at, ":")
	host, port = at[:max(i, 0)], at[i+1:]
	return strings.Trim(host, "[]"), port
}

// openTCP opens an end that is a TCP connection.
func (s *stream) openTCP(ctx context.Context, p place) (*end, error) {
	t, err := newTCP(p, &s.config)
	if err != nil {
		return nil, err
	}
	f, remote, err := t.open(ctx)
	if err != nil {
		return nil, fail(exitRefused, "open %v: %w", p, tcpCause(err))
	}
	if s.as == asBytering && !s.show.quiet && !remote.Addr().IsLoopback() {
		s.overt.Do(func() { s.voice.tell(sayWarnings, "what passes over TCP is not encrypted") })
	}
	return &end{file: f, name: quoted("tcp://" + remote.String()), size: -1, deliver: func() error { return deliver(ctx, f) }}, nil
}

// open waits for the connection and returns it as a file, which can be polled.
// It also returns the remote address.
func (t *tcp) open(ctx context.Context) (f *os.File, remote netip.AddrPort, err error) {
	connect := t.connect
	if t.listen {
		connect = t.accept
	}
	conn, err := connect(ctx)
	if err != nil {
		return nil, remote, err
	}
	defer conn.Close()
	if err := t.set(conn); err != nil {
		return nil, remote, err
	}
	remote = conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	f, err = conn.File()
	return f, netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port()), err
}

// keepAlive detects within two minutes that the other host has gone, while
// nothing moves.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 10 * time.Second, Count: 6}

// set sets the options of the connection.
func (t *tcp) set(conn *net.TCPConn) error {
	err := conn.SetKeepAliveConfig(keepAlive)
	if t.buffer > 0 {
		err = errors.Join(err, conn.SetReadBuffer(t.buffer), conn.SetWriteBuffer(t.buffer))
	}
	if t.timeout > 0 {
		err = errors.Join(err, setUserTimeout(conn, t.timeout))
	}
	return err
}

// accept lets one connection in and closes the port.
func (t *tcp) accept(ctx context.Context) (*net.TCPConn, error) {
	var allowed []netip.Addr
	if t.allow != "" {
		var err error
		if allowed, err = resolver.LookupNetIP(ctx, "ip"+strings.TrimPrefix(t.network, "tcp"), t.allow); err != nil {
			return nil, err
		}
	}
	config := net.ListenConfig{KeepAliveConfig: keepAlive}
	l, err := config.Listen(ctx, t.network, t.address)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	for {
		conn, err := l.Accept()
		if err != nil {
			return nil, err
		}
		from := conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap()
		same := func(a netip.Addr) bool { return a.Unmap().WithZone("") == from.WithZone("") }
		if t.allow == "" || slices.ContainsFunc(allowed, same) {
			return conn.(*net.TCPConn), nil
		}
		conn.Close()
	}
}

// connect connects, and tries again while the port refuses.
func (t *tcp) connect(ctx context.Context) (*net.TCPConn, error) {
	dialer := net.Dialer{Resolver: resolver, KeepAliveConfig: keepAlive}
	until := time.Now().Add(t.patient)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		conn, err := dialer.DialContext(ctx, t.network, t.address)
		if err == nil {
			return conn.(*net.TCPConn), nil
		}
		if !errors.Is(err, errRefused) || time.Now().Add(wait).After(until) {
			return nil, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// tcpCause is cause for errors of package net, which also name the address or what
// was looked up.
func tcpCause(err error) error {
	var name *net.DNSError
	var address *net.AddrError
	var failed *net.OpError
	switch {
	case errors.As(err, &name):
		return errors.New(name.Err)
	case errors.As(err, &address):
		return errors.New(address.Err)
	case errors.As(err, &failed):
		return cause(failed.Err)
	}
	return cause(err)
}

// resolver looks names up without the C library, whose threads would not fit
// within the limits that the command can run with.
var resolver = &net.Resolver{PreferGo: true}
