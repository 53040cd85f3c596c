//go:build unix

package conformance

import (
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/memconn"
)

// A program need not read all of its standard input. Package os/exec treats a
// broken pipe as success, and recognizes it by the exact error of the file that it
// writes.
func TestStandardInputOfAProgram(t *testing.T) {
	inputs := map[string]func() (io.WriteCloser, io.Reader){
		"consumer": func() (io.WriteCloser, io.Reader) {
			p, c, err := bytering.New(64 << 10)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			return p, c
		},
		"memconn": func() (io.WriteCloser, io.Reader) {
			a, b := memconn.Pipe()
			t.Cleanup(func() { b.Close() })
			return a, b
		},
	}
	for name, open := range inputs {
		for _, script := range []string{"head -c 3", "exit 0", "head -c 3; exit 7"} {
			t.Run(fmt.Sprintf("%s to %s", name, script), func(t *testing.T) {
				w, r := open()
				go func() {
					defer w.Close()
					w.Write(make([]byte, 1<<20)) // more than all buffers between hold
				}()
				cmd := exec.Command("sh", "-c", script)
				cmd.Stdin = r
				out, err := cmd.Output()
				want := "<nil>"
				if strings.HasSuffix(script, "7") {
					want = "exit status 7"
				}
				if got := fmt.Sprint(err); got != want {
					t.Errorf("the program prints %q and ends with %q, want %q", out, got, want)
				}
			})
		}
	}
}
