package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// patience is how long a process may take before it is killed.
const patience = 2 * time.Minute

// A tool is a command that copies its standard input to its standard output.
type tool struct {
	name string // the command line
	ours bool
	argv []string
	// pipe is the size to which the harness sets both pipes; 0 leaves them as a
	// shell would make them.
	pipe int
}

// tools returns the commands, ours first, and a line for each that is not
// installed.
func tools(cfg config) (found []tool, missing []string) {
	lines := append([]string{"bytering -q", "cat", "pv -q", "mbuffer -q -s128k -m16M"}, cfg.commands...)
	for _, line := range lines {
		t := tool{name: line, argv: strings.Fields(line)}
		t.ours = t.argv[0] == "bytering"
		if _, err := exec.LookPath(t.argv[0]); err != nil && !t.ours {
			missing = append(missing, t.argv[0]+" is not installed, so it is left out.")
			continue
		}
		found = append(found, t)
	}
	return found, missing
}

// A child is a process of a trial.
type child struct {
	*exec.Cmd
	stderr bytes.Buffer
	cancel func()
}

// child makes one. A command named bytering is the one built here.
func (w *workshop) child(argv []string) (*child, error) {
	name := argv[0]
	if name == "bytering" {
		var err error
		if name, err = w.command(); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	c := &child{Cmd: exec.CommandContext(ctx, name, argv[1:]...), cancel: cancel}
	c.Stderr = &c.stderr
	c.Env = append(os.Environ(), "LC_ALL=C")
	return c, nil
}

// end waits for the process to end.
func (c *child) end() error {
	defer c.cancel()
	if c.Process == nil {
		return nil // it was never started
	}
	if err := c.Wait(); err != nil {
		return fmt.Errorf("%s: %w: %s", c.Args[0], err, strings.TrimSpace(c.stderr.String()))
	}
	return nil
}

// used returns the processor time of a child that has ended.
func (c *child) used() time.Duration {
	if c.ProcessState == nil {
		return 0
	}
	return c.ProcessState.UserTime() + c.ProcessState.SystemTime()
}

// connect makes a pipe from one child to the next. A size of 0 leaves it as it is.
func connect(from, to *child, size int) error {
	r, w, err := sizedPipe(size)
	from.Stdout, to.Stdin = w, r
	return err
}

func sizedPipe(size int) (r, w *os.File, err error) {
	r, w, err = os.Pipe()
	if err == nil && size > 0 {
		err = setPipeSize(w, size)
	}
	return r, w, err
}

// start starts children and closes its own copies of their files.
func start(children ...*child) (err error) {
	for _, c := range children {
		if err == nil {
			err = c.Start()
		}
		for _, f := range []any{c.Stdin, c.Stdout} {
			if f, ok := f.(*os.File); ok {
				f.Close()
			}
		}
	}
	return err
}

// endAll waits for all children to end.
func endAll(children ...*child) error {
	var errs []error
	for _, c := range children {
		errs = append(errs, c.end())
	}
	return errors.Join(errs...)
}
