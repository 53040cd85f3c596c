//go:build !interleave

package memconn

import (
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"testing"
)

func TestAddrs(t *testing.T) {
	a, b := ends(t)
	if a.LocalAddr() != b.RemoteAddr() || a.RemoteAddr() != b.LocalAddr() || a.LocalAddr() == b.LocalAddr() {
		t.Errorf("%v-%v, %v-%v", a.LocalAddr(), a.RemoteAddr(), b.LocalAddr(), b.RemoteAddr())
	}
	if host, _, err := net.SplitHostPort(a.LocalAddr().String()); host != "mem" || err != nil || a.LocalAddr().Network() != "mem" {
		t.Errorf("%v, %v", a.LocalAddr(), err)
	}
	c, _ := ends(t, Name("db"))
	if s := c.LocalAddr().String(); !strings.HasPrefix(s, "db:") {
		t.Error(s)
	}
}

func TestRefused(t *testing.T) {
	type refused struct {
		opt  Option
		says string
	}
	cases := []refused{
		{Buffer(0), "memconn: Buffer of 0 bytes, below 1"},
		{Buffer(-5), "memconn: Buffer of -5 bytes, below 1"},
		{Backlog(-5), "memconn: Backlog of -5, below 0"},
		{Backlog(1<<20 + 1), "memconn: Backlog of 1048577, above 1<<20"},
		{Backlog(math.MaxInt), fmt.Sprintf("memconn: Backlog of %d, above 1<<20", math.MaxInt)},
	}
	if strconv.IntSize == 64 { // on 32-bit systems every int is within the limit
		cases = append(cases, refused{Buffer(math.MaxInt), fmt.Sprintf("memconn: Buffer of %d bytes, above 1<<61", math.MaxInt)})
		var most uint64 = 1 << 61 // within the limit, but more memory than there is
		if got := fmt.Sprint(caught(func() { Pipe(Buffer(int(most))) })); !strings.HasPrefix(got, fmt.Sprintf("memconn: Buffer of %d bytes: ", most)) {
			t.Errorf("without the memory for it Pipe panics with %q", got)
		}
	}
	for _, tc := range cases {
		if got := caught(func() { Pipe(tc.opt) }); got != tc.says {
			t.Errorf("Pipe panics with %v, want %q", got, tc.says)
		}
		if got := caught(func() { Listen(tc.opt) }); got != tc.says {
			t.Errorf("Listen panics with %v, want %q", got, tc.says)
		}
	}
	Listen(Backlog(1 << 20)).Close()
}
