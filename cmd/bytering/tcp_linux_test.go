package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// freePort returns a port that nothing listens on, and that no other call gets. It
// is below those that the system gives to outgoing connections: one of them could
// take it, or connect to itself while nothing listens yet.
func freePort(t *testing.T) string {
	t.Helper()
	for range 1000 {
		port := strconv.Itoa(20000 + rand.IntN(12000))
		if _, given := portsGiven.LoadOrStore(port, true); given {
			continue
		}
		if l, err := net.Listen("tcp", ":"+port); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

var portsGiven sync.Map

// listening waits until something listens at the port. It only reads the system's
// table of sockets: an attempt to listen or to connect could get in the way of the
// program under test.
func listening(t *testing.T, port string) {
	t.Helper()
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	// Columns of /proc/net/tcp: the number, the local address, the other's, the state.
	listens := regexp.MustCompile(fmt.Sprintf(`(?m)^ *\d+: [0-9A-F]+:%04X [0-9A-F]+:0000 0A `, n))
	eventually(t, "a listener at "+port, func() bool {
		for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
			if sockets, err := os.ReadFile(name); err == nil && listens.Match(sockets) {
				return true
			}
		}
		return false
	})
}

// runAs prepares a program: bytering by its name as, or a real one by its path.
func runAs(t *testing.T, as string, args ...string) *process {
	t.Helper()
	p := prepare(t, args...)
	if filepath.IsAbs(as) {
		p.Path = as
	}
	p.Args[0] = as
	return p
}

// realMbuffer returns where the real one is.
func realMbuffer(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("mbuffer")
	if err != nil {
		t.Skip(err)
	}
	return path
}

// outside returns an address of this machine that is not loopback.
func outside(t *testing.T) string {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Skip(err)
	}
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.To4() != nil && !ip.IP.IsLoopback() {
			return ip.IP.String()
		}
	}
	t.Skip("this machine has no address but loopback")
	return ""
}

// TestTCP moves bytes between two processes, of which each is bytering by one of
// its names or the real mbuffer.
func TestTCP(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ to, out, from, in string }{
		{"bytering", "-o tcp://127.0.0.1:PORT", "bytering", "-i tcp-listen://:PORT"},
		{"bytering", "-o tcp://localhost:PORT", "bytering", "-i tcp-listen://PORT"},
		{"bytering", "-o tcp://[::1]:PORT", "bytering", "-i tcp-listen://[::1]:PORT"},
		{"bytering", "-o tcp-listen://:PORT", "bytering", "-i tcp://127.0.0.1:PORT"},
		{"mbuffer", "-q -O localhost:PORT", "mbuffer", "-q -4 -I PORT"},
		{"mbuffer", "-q -O 127.0.0.1:PORT", "mbuffer", "-q -I 127.0.0.1:PORT"},
		{"mbuffer", "-q -O 127.0.0.1:PORT", "REAL", "-q -I PORT"},
		{"mbuffer", "-q -s 128k -m 16M -O localhost:PORT", "REAL", "-q -4 -I localhost:PORT"},
		{"REAL", "-q -O 127.0.0.1:PORT", "mbuffer", "-q -s 128k -m 16M -4 -I PORT"},
		{"REAL", "-q -4 -O localhost:PORT", "mbuffer", "-q -I localhost:PORT"},
	} {
		t.Run(c.to+c.out+" "+c.from+c.in, func(t *testing.T) {
			t.Parallel()
			if strings.Contains(c.out, "::1") {
				l, err := net.Listen("tcp", "[::1]:0")
				if err != nil {
					t.Skip(err)
				}
				l.Close()
			}
			port := freePort(t)
			make := func(as, args string) *process {
				if as == "REAL" {
					as = realMbuffer(t)
				}
				return runAs(t, as, strings.Fields(strings.ReplaceAll(args, "PORT", port))...)
			}
			const n = 3<<20 + 1
			from, to := make(c.from, c.in), make(c.to, c.out)
			var got bytes.Buffer
			from.Stdout, to.Stdin = &got, random(n)
			if c.out == "-o tcp-listen://:PORT" {
				from, to = to, from
			}
			from.start()
			if !strings.Contains(c.out, "::1") { // where bytering tries until it is there
				listening(t, port)
			}
			to.start()
			for _, p := range []*process{to, from} {
				if code, said := p.over(); code != exitDone || strings.Contains(said, "encrypted") {
					t.Errorf("%v: exit code %d; %q", p.Args, code, said)
				}
			}
			if got, want := sum(t, &got), sum(t, random(n)); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

// TestConnectBeforeListen: what connects waits for what is about to listen. As
// mbuffer it does not.
func TestConnectBeforeListen(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	p := prepare(t, "-q", "-i", randomFile(t, 10), "-o", "tcp://127.0.0.1:"+port)
	p.start()
	settle()
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(conn); len(b) != 10 || err != nil {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	p.end(exitDone, 0)

	p = runAs(t, "mbuffer", "-q", "-O", "127.0.0.1:"+freePort(t))
	p.start()
	if code, said := p.over(); code != exitRefused || strings.Count(said, "\n") != 1 || !strings.Contains(said, "connection refused") {
		t.Errorf("exit code %d; %q", code, said)
	}
}

// TestOneConnection: the port is closed once there is a connection, and a host
// that is not allowed is none.
func TestOneConnection(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	p := runAs(t, "mbuffer", "-q", "-I", "127.0.0.2:"+port)
	p.Stdout = &bytes.Buffer{}
	p.start()
	listening(t, port)
	stranger, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	stranger.Write([]byte("not wanted"))
	stranger.SetReadDeadline(time.Now().Add(patience))
	if _, err := stranger.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("a host that is not allowed is let in: %v", err)
	}
	friend := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	conn, err := friend.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	conn.Write([]byte("wanted"))
	eventually(t, "a closed port", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	conn.Close()
	p.end(exitDone, 0)
	if got := p.Stdout.(*bytes.Buffer).String(); got != "wanted" {
		t.Errorf("%q arrived", got)
	}
}

// TestListenOnLoopback: without a host other machines can't connect, and as
// mbuffer they can.
func TestListenOnLoopback(t *testing.T) {
	t.Parallel()
	ip := outside(t)
	for _, c := range []struct {
		as   string
		args []string
		let  bool
	}{
		{"bytering", []string{"-q", "-i", "tcp-listen://:PORT"}, false},
		{"bytering", []string{"-i", "tcp-listen://" + ip + ":PORT"}, true},
		{"mbuffer", []string{"-q", "-I", "PORT"}, true},
	} {
		port := freePort(t)
		args := strings.Fields(strings.ReplaceAll(strings.Join(c.args, " "), "PORT", port))
		p := runAs(t, c.as, args...)
		p.start()
		var conn net.Conn
		var err error
		if !c.let {
			listening(t, port)
			if conn, err = net.Dial("tcp", ip+":"+port); err == nil {
				t.Errorf("%v lets %s in", c.args, ip)
			}
			conn, err = net.Dial("tcp", "127.0.0.1:"+port)
		} else {
			eventually(t, "a connection", func() bool { conn, err = net.Dial("tcp", ip+":"+port); return err == nil })
		}
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		code, said := p.over()
		// Once, where it leaves loopback, and only as bytering.
		if told := strings.Count(said, "not encrypted"); code != exitDone || told > 1 || (told == 1) != (c.as == "bytering" && c.let) {
			t.Errorf("%v: exit code %d; %q", c.args, code, said)
		}
	}
}

// TestSeveralConnections: each gets every byte, and so does a file.
func TestSeveralConnections(t *testing.T) {
	t.Parallel()
	const n = 2<<20 + 3
	args := []string{"-q"}
	sums := make(chan string, 2)
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Skip(err)
		}
		defer l.Close()
		args = append(args, "-O", l.Addr().String())
		go func() {
			conn, err := l.Accept()
			if err != nil {
				sums <- err.Error()
				return
			}
			sums <- sum(t, conn)
		}()
	}
	to := filepath.Join(t.TempDir(), "sink")
	p := runAs(t, "mbuffer", append(args, "-o", to)...)
	p.Stdin = random(n)
	p.start()
	p.end(exitDone, 0)
	want := sum(t, random(n))
	for range 2 {
		if got := <-sums; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := sumFile(t, to); got != want {
		t.Errorf("the file has %s, want %s", got, want)
	}
}

// TestUndelivered: what the other host has not taken is not done: it is waited
// for, and a connection that is lost then is a failure.
func TestUndelivered(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"reset", "signal", "taken", "timeout"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Skip(err)
			}
			defer l.Close()
			const n = 32 << 20 // more than two sockets hold, and less than them and the ring
			p := prepare(t, "-q", "-m", "64M", "-i", randomFile(t, n), "-o", "tcp://"+l.Addr().String())
			if way == "timeout" {
				p.Args = append(p.Args, "-W", "0.3")
			}
			p.startDefault(syscall.SIGTERM)
			conn, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			settle()
			switch way {
			case "reset":
				conn.(*net.TCPConn).SetLinger(0)
				conn.Close()
				contains(t, p.end(exitSink, 1), "write tcp://", "connection reset by peer")
			case "signal":
				contains(t, p.kill(syscall.SIGTERM), "stopped by signal: terminated")
			case "taken":
				if got, want := sum(t, conn), sum(t, random(n)); got != want {
					t.Errorf("%s, want %s", got, want)
				}
				p.end(exitDone, 0)
			case "timeout":
				contains(t, p.end(exitTimeout, 1), "write tcp://", "nothing moved for 300ms")
			}
		})
	}
}

// TestConnTimeout: a connection has a time limit of its own, in milliseconds.
func TestConnTimeout(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	p := runAs(t, "mbuffer", "-q", "-W", "1000", "--tcptimeo", "300", "-I", port)
	p.start()
	listening(t, port)
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	code, said := p.over()
	if code != exitTimeout {
		t.Errorf("exit code %d", code)
	}
	contains(t, said, "mbuffer: read tcp://", "nothing moved for 300ms; 0 bytes written")
}

// TestLastBytes: the last bytes, which only the system still has when the ring is
// empty, are waited for too.
func TestLastBytes(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	// A receiver with so little room that some of it stays with the sender.
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
	if err != nil {
		t.Fatal(err)
	}
	p := prepare(t, "-q", "-i", randomFile(t, 100_000), "-o", "tcp://"+l.Addr().String())
	p.start()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	settle()
	if err := p.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("it has ended, and the bytes have not arrived: %v", err)
	}
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
	contains(t, p.end(exitSink, 1), "write tcp://", "connection reset by peer")
}

// TestAddresses: what is wrong with an address is one line.
func TestAddresses(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	defer busy.Close()
	for args, says := range map[string]string{
		"-o tcp://127.0.0.1":                            "open tcp://127.0.0.1: not HOST:PORT",
		"-o tcp://:1":                                   "open tcp://:1: not HOST:PORT",
		"-o tcp://127.0.0.1:":                           "open tcp://127.0.0.1:: not HOST:PORT",
		"-o tcp://127.0.0.1:70000":                      "open tcp://127.0.0.1:70000: invalid port",
		"-o tcp://no-such-host.invalid:1":               "open tcp://no-such-host.invalid:1: no such host",
		"-i tcp-listen://" + busy.Addr().String():       "address already in use",
		fmt.Sprintf("-i tcp-listen://192.0.2.1:%d", 81): "cannot assign requested address",
	} {
		p := prepare(t, strings.Fields(args)...)
		p.start()
		contains(t, p.end(exitRefused, 1), says)
	}
	// With a path it is a file.
	p := prepare(t, "-i", randomFile(t, 5), "-o", "./tcp:x")
	p.Dir = t.TempDir()
	p.start()
	p.end(exitDone, 1)
	if got := sumFile(t, filepath.Join(p.Dir, "tcp:x")); !strings.HasPrefix(got, "5 bytes") {
		t.Error(got)
	}
}
