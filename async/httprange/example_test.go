package httprange_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/async"
	"github.com/bytering/bytering/async/httprange"
)

// download writes what is at url to standard output, in order, with up to 16
// requests at once.
func download(ctx context.Context, url string) error {
	f, err := httprange.Open(ctx, url)
	if err != nil {
		return err
	}
	defer f.Close()
	const block = 256 << 10
	p, c, err := bytering.New(17 * block)
	if err != nil {
		return err
	}
	go func() {
		var err error
		if f.Ranges() {
			_, err = async.Fill(ctx, p, f, async.Depth(16), async.Block(block),
				async.Retry(httprange.Retry(5)), async.Stall(time.Minute))
		} else {
			s := f.Stream(ctx, 0)
			_, err = p.ReadFrom(s)
			s.Close()
		}
		p.CloseWithError(err)
	}()
	_, err = c.WriteTo(os.Stdout)
	c.CloseWithError(err)
	return err
}

func ExampleOpen() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Unix(1e9, 0), strings.NewReader("Read by ranges.\n"))
	}))
	defer srv.Close()
	if err := download(context.Background(), srv.URL); err != nil {
		fmt.Println(err)
	}
	// Output: Read by ranges.
}
