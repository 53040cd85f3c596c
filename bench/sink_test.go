package main

import (
	"crypto/md5"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/bytering/bytering"
)

// BenchmarkSlowSink copies from one pipe or connection to another through a ring that
// is full most of the time, because the sink hashes what it gets. An operation is
// 64 KiB.
func BenchmarkSlowSink(b *testing.B) {
	links := map[string]func() (w, r io.ReadWriteCloser, err error){
		"pipe": func() (w, r io.ReadWriteCloser, err error) { r, w, err = os.Pipe(); return w, r, err },
		"tcp":  func() (w, r io.ReadWriteCloser, err error) { w, r, err = connection(); return w, r, err },
	}
	for _, link := range []string{"pipe", "tcp"} {
		for _, capacity := range []int{64 << 10, 1 << 20} {
			b.Run(fmt.Sprintf("%s/capacity=%d", link, capacity), func(b *testing.B) {
				sw, sr, err := links[link]()
				if err != nil {
					b.Fatal(err)
				}
				dw, dr, err := links[link]()
				if err != nil {
					b.Fatal(err)
				}
				p, c, err := bytering.New(capacity)
				if err != nil {
					b.Fatal(err)
				}
				const chunk = 64 << 10
				errs := make(chan error, 3)
				b.SetBytes(chunk)
				b.ResetTimer()
				go func() {
					buf := make([]byte, chunk)
					var err error
					for i := 0; i < b.N && err == nil; i++ {
						_, err = sw.Write(buf)
					}
					sw.Close()
					errs <- err
				}()
				go func() { _, err := p.ReadFrom(sr); p.CloseWithError(err); errs <- err }()
				go func() { _, err := c.WriteTo(dw); dw.Close(); errs <- err }()
				h := md5.New()
				if n, err := io.Copy(h, dr); n != int64(b.N)*chunk || err != nil {
					b.Errorf("copied %d bytes, want %d, error %v", n, b.N*chunk, err)
				}
				for range 3 {
					if err := <-errs; err != nil {
						b.Error(err)
					}
				}
				b.StopTimer()
				sr.Close()
				dr.Close()
			})
		}
	}
}
