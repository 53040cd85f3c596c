package vectored_test

import (
	"fmt"
	"log"
	"os"

	"github.com/bytering/bytering/vectored"
)

// A status line is written if the reader has room for it. A slow reader holds up
// nothing: it misses some lines.
func ExamplePollWriter() {
	in, out, err := os.Pipe()
	if err != nil {
		log.Fatal(err)
	}
	defer in.Close()
	defer out.Close()
	w := vectored.PollWriterOf(vectored.WriterOf(out))
	if w == nil {
		log.Fatal("a write may block")
	}

	missed := 0
	for i := 0; missed == 0; i++ {
		n, err := w.TryWritev([][]byte{[]byte("step "), fmt.Appendf(nil, "%5d\n", i)})
		if err != nil {
			log.Fatal(err)
		}
		if n == 0 {
			missed++
		}
	}
	b := make([]byte, 10)
	in.Read(b)
	fmt.Printf("%s\n", b)
	// Output: step     0
}
