package s3_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/s3"
)

// Standard input goes into an object. If that fails, the line that goes on with it is
// printed.
func ExampleCreate() {
	ctx := context.Background()
	up, err := s3.Create(ctx, "s3://backups/tank.zfs", s3.Options{
		Memory: 1 << 30,
		Log:    func(line string) { fmt.Fprintln(os.Stderr, line) },
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	p, c, err := bytering.New(int(up.Plan().Ring()), bytering.Mapped())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	go func() {
		_, err := p.ReadFrom(os.Stdin)
		p.CloseWithError(err)
	}()
	summary, err := up.Drain(ctx, c)
	c.Close()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		if failed := (*s3.Error)(nil); errors.As(err, &failed) && failed.UploadID != "" {
			fmt.Fprintln(os.Stderr, "go on with:", s3.Quote(s3.ResumeArgs(os.Args, failed.UploadID)))
		}
		return
	}
	fmt.Fprintln(os.Stderr, summary)
}

// An object goes to standard output.
func ExampleOpen() {
	ctx := context.Background()
	object, err := s3.Open(ctx, "s3://backups/tank.zfs", s3.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	p, c, err := bytering.New(int(object.Plan().Ring()), bytering.Mapped())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	go func() {
		_, err := object.Fill(ctx, p)
		p.CloseWithError(err) // the consumer gets it behind the last byte
	}()
	if _, err := c.WriteTo(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	c.Close()
}
