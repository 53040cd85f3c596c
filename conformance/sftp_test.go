package conformance

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"testing"

	"github.com/pkg/sftp"
	"go.uber.org/goleak"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/async"
)

// Drain writes a file through package sftp, and Fill reads it, with 16 operations
// in flight over one connection.
func TestSFTP(t *testing.T) {
	defer goleak.VerifyNone(t)
	local, remote := net.Pipe()
	server := sftp.NewRequestServer(remote, sftp.InMemHandler())
	served := make(chan error, 1)
	go func() { served <- server.Serve() }()
	client, err := sftp.NewClientPipe(local, local)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		client.Close()
		server.Close()
		<-served
	}()
	const block = 16 << 10
	want := make([]byte, 100*block+3)
	for i := range want {
		want[i] = byte(i ^ i>>8 ^ i>>16)
	}

	p, c, err := bytering.New(17 * block)
	if err != nil {
		t.Fatal(err)
	}
	go func() { p.Write(want); p.Close() }()
	dst, err := client.OpenFile("/file", os.O_WRONLY|os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	s, err := async.Drain(t.Context(), c, dst, async.Depth(16), async.Block(block))
	if e := dst.Close(); err != nil || e != nil || s.Safe != int64(len(want)) || s.Depth != 16 {
		t.Fatalf("%v, %v, %+v", err, e, s)
	}

	p, c, err = bytering.New(17 * block)
	if err != nil {
		t.Fatal(err)
	}
	src, err := client.Open("/file")
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	filled := make(chan error, 1)
	go func() {
		s, err := async.Fill(t.Context(), p, src, async.Depth(16), async.Block(block))
		if err == nil && s.Depth != 16 {
			err = fmt.Errorf("%+v", s)
		}
		p.CloseWithError(err)
		filled <- err
	}()
	got, err := io.ReadAll(c)
	if e := <-filled; err != nil || e != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, want %d, errors %v, %v", len(got), len(want), err, e)
	}
}
