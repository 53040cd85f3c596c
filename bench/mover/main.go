// Mover moves a URL, a file or standard input to a file or standard output, with
// many reads and writes in flight: what the window suites measure, without a
// command's flags and bar.
//
//	mover [-depth N] [-block BYTES] [-direct] FROM TO
//
// FROM and TO are "-" for the standard ones.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/async"
	"github.com/bytering/bytering/async/httprange"
)

var (
	depth  = flag.Int("depth", 4, "operations in flight at each end")
	block  = flag.Int("block", 256<<10, "bytes of an operation")
	direct = flag.Bool("direct", false, "bypass the page cache")
)

func main() {
	flag.Parse()
	if err := move(flag.Arg(0), flag.Arg(1)); err != nil {
		fmt.Fprintln(os.Stderr, "mover:", err)
		os.Exit(1)
	}
}

func move(from, to string) error {
	p, c, err := bytering.New((*depth+1)**block, bytering.Align(4096))
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() {
		err := produce(p, from)
		p.CloseWithError(err)
		failed <- err
	}()
	err = consume(c, to)
	c.CloseWithError(err)
	return errors.Join(<-failed, err)
}

func produce(p *bytering.Producer, from string) error {
	ctx, opts := context.Background(), []async.Option{async.Depth(*depth), async.Block(*block)}
	var src io.ReaderAt
	switch {
	case from == "-":
		_, err := p.ReadFrom(os.Stdin)
		return err
	case strings.HasPrefix(from, "http"):
		f, err := httprange.Open(ctx, from, httprange.Depth(*depth))
		if err != nil {
			return err
		}
		defer f.Close()
		if *depth == 1 { // one GET
			s := f.Stream(ctx, 0)
			defer s.Close()
			_, err := p.ReadFrom(s)
			return err
		}
		src = f
	default:
		f, err := os.OpenFile(from, os.O_RDONLY|flags(), 0)
		if err != nil {
			return err
		}
		defer f.Close()
		src = f
	}
	_, err := async.Fill(ctx, p, src, opts...)
	return err
}

func consume(c *bytering.Consumer, to string) error {
	if to == "-" {
		_, err := c.WriteTo(os.Stdout)
		return err
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|flags(), 0o600)
	if err != nil {
		return err
	}
	_, err = async.Drain(context.Background(), c, f, async.Depth(*depth), async.Block(*block))
	return errors.Join(err, f.Close())
}

func flags() int {
	if *direct {
		return oDirect
	}
	return 0
}
