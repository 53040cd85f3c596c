package main

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"

	"github.com/bytering/bytering"
)

// BenchmarkOneSlowConsumer writes to a fast consumer, which waits at the head of the
// stream most of the time, and to a slow one, which gives back a piece at a time. Each
// piece ends the producer's wait while the fast consumer waits. An operation is
// 32 KiB.
func BenchmarkOneSlowConsumer(b *testing.B) {
	for _, piece := range []int{64, 512} {
		for _, yields := range []bool{false, true} {
			b.Run(fmt.Sprintf("piece=%d/yields=%t", piece, yields), func(b *testing.B) {
				p, cs, err := bytering.NewBroadcast(64<<10, 2)
				if err != nil {
					b.Fatal(err)
				}
				var wg sync.WaitGroup
				read := func(c *bytering.Consumer, size int, after func()) {
					for buf := make([]byte, size); ; after() {
						if _, err := io.ReadFull(c, buf); err != nil {
							return
						}
					}
				}
				wg.Go(func() { io.Copy(io.Discard, onlyRead{cs[0]}) })
				wg.Go(func() {
					read(cs[1], piece, func() {
						if yields {
							runtime.Gosched()
						}
					})
				})
				chunk := make([]byte, 32<<10)
				b.SetBytes(int64(len(chunk)))
				b.ResetTimer()
				for range b.N {
					if n, err := p.Write(chunk); n != len(chunk) || err != nil {
						b.Fatal(n, err)
					}
				}
				p.Close()
				wg.Wait()
			})
		}
	}
}

// onlyRead hides the other methods of a reader.
type onlyRead struct{ io.Reader }
