package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// diskBlock is a multiple of the sizes and offsets that direct I/O needs.
const diskBlock = 4096

func roundUp(n int) int { return (n + diskBlock - 1) / diskBlock * diskBlock }

// windowFiles measures copies from a file or a pipe to a file or a pipe.
func windowFiles(cfg config, name string, from, to bool) suite {
	end := map[bool]string{true: "a file", false: "a pipe"}
	s := suite{
		name:    name,
		title:   "From " + end[from] + " to " + end[to],
		op:      "block",
		sizes:   []int{256 << 10},
		ops:     func(cfg config, size int) int { return max(1, cfg.bytes/size) },
		metrics: []metric{throughput(), peak()},
		each:    true,
		legend: []string{
			"The column is SIZE, which is also dd's block. Every byte is compared, that of a pipe when it comes, that of a file afterwards.",
			"Without direct I/O both files are in the page cache, and nothing waits until they are on disk. With it all bytes come from the disk, or are there in the end.",
		},
	}
	shown := func(there bool, name string) string {
		if !there {
			return "-"
		}
		return name
	}
	file := func(w *workshop, there bool, name string) (string, error) {
		if !there {
			return "-", nil
		}
		return w.path(name)
	}
	add := func(name string, ours bool, argv func(w *workshop, from, to string, size int) ([]string, error)) {
		s.contenders = append(s.contenders, contender{name, ours, false, func(cfg config, size int) (trial, error) {
			c := &copied{size: roundUp(size), bytes: size}
			var err1, err2, err3 error
			c.from, err1 = file(cfg.shop, from, "from")
			c.to, err2 = file(cfg.shop, to, "to")
			c.argv, err3 = argv(cfg.shop, c.from, c.to, c.size)
			return c, errors.Join(err1, err2, err3)
		}})
	}
	directs := []bool{false}
	if canDirect(cfg.shop) {
		directs = append(directs, true)
	} else {
		s.legend = append(s.legend, "The directory for temporary files has no direct I/O.")
	}
	for _, direct := range directs {
		suffix := map[bool]string{true: ", direct"}[direct]
		for _, depth := range []int{16, 4, 1} {
			add(strings.Join(deepLine(depth, "SIZE", direct, shown(from, "FROM"), shown(to, "TO")), " "), true, func(w *workshop, in, out string, size int) ([]string, error) {
				return w.built(deepLine(depth, strconv.Itoa(size), direct, in, out))
			})
		}
		add("dd"+suffix, false, func(_ *workshop, in, out string, size int) ([]string, error) {
			argv := []string{"dd", "status=none", "bs=" + strconv.Itoa(size), "iflag=fullblock"}
			if from {
				argv = append(argv, "if="+in)
			}
			if to {
				argv = append(argv, "of="+out)
			}
			if direct && from {
				argv[3] += ",direct"
			}
			if direct && to {
				argv = append(argv, "oflag=direct")
			}
			return argv, nil
		})
	}
	if from && to {
		add("cp --reflink=never", false, func(_ *workshop, in, out string, _ int) ([]string, error) {
			return []string{"cp", "--reflink=never", in, out}, nil
		})
	}
	return s
}

// canDirect reports whether dd can write there with O_DIRECT.
func canDirect(w *workshop) bool {
	path, err := w.path("direct")
	return err == nil && exec.Command("dd", "status=none", "if=/dev/zero", "of="+path, "bs="+strconv.Itoa(diskBlock), "count=1", "oflag=direct").Run() == nil
}

// A copied is a trial of a process that copies. An end of "-" is a pipe.
type copied struct {
	from, to    string
	argv        []string
	size, bytes int // the size of a block, and the number of bytes counted
	moved       object
	peak        float64
	took        time.Duration
}

// run copies as many bytes as n blocks have, rounded up to what direct I/O accepts.
func (c *copied) run(n int) error {
	c.moved = object(roundUp(n * c.bytes))
	if c.from != "-" {
		if err := c.moved.put(c.from); err != nil {
			return err
		}
	}
	if c.to != "-" {
		os.Remove(c.to)
	}
	var in *os.File
	poured := make(chan error, 1)
	if c.from == "-" {
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		defer r.Close()
		in = r
		go func() {
			_, err := io.Copy(w, io.NewSectionReader(c.moved, 0, int64(c.moved)))
			poured <- errors.Join(err, w.Close())
		}()
	} else {
		poured <- nil
	}
	out := object(0)
	if c.to == "-" {
		out = c.moved
	}
	began := time.Now()
	var err error
	c.peak, err = runProcess(c.argv, in, out)
	c.took = time.Since(began)
	if in != nil {
		in.Close() // ends the pouring into a process that has failed
	}
	return errors.Join(err, <-poured)
}

// put writes the object to a file on disk, unless it is there.
func (o object) put(path string) error {
	if info, err := os.Stat(path); err == nil && info.Size() == int64(o) {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, io.NewSectionReader(o, 0, int64(o)))
	return errors.Join(err, f.Sync(), f.Close())
}

func (c *copied) report(s *sample, n int) {
	s.perOp, s.figures = float64(c.took)/float64(n), []float64{c.peak}
}

func (c *copied) finish() error {
	if c.to == "-" {
		return nil
	}
	f, err := os.Open(c.to)
	if err != nil {
		return err
	}
	return errors.Join(c.moved.check(f), f.Close(), os.Remove(c.to))
}
