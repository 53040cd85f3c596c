//go:build unix

// Command bench moves streams of unknown length into objects of a slow server, and
// objects out of it into a pipe, by package s3 and by what people use instead. Each
// stream is moved by a process of its own, and the server is one too.
//
//	go run ./s3/bench -sizes 4K,64M,1G -delays 20ms,100ms -trials 5
//
// With -rate 80M the server sends and takes a body no faster than that, so that it takes
// several connections to be fast.
//
// It prints one Markdown table with a row for each stream and a column for each way: the
// median of the throughput, the peak of the memory that is resident, and what was
// allocated, by those that can tell. What has arrived is compared with what was sent. A
// way that is not installed, or that fails, is named below the table.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

func main() {
	sizes := flag.String("sizes", "4K,64M,1G", "lengths of the streams")
	delays := flag.String("delays", "20ms,100ms", "how long a request takes")
	rate := flag.String("rate", "0", "bytes a second of a body, or 0 for any")
	trials := flag.Int("trials", 3, "how often each is moved")
	only := flag.String("only", "", "a way, instead of all")
	server := flag.Duration("server", -1, "be the server, with this delay")
	direction := flag.String("child", "", "be the way of -only, up or down, with the key in the first argument")
	flag.Parse()
	limit, err := parse(*rate)
	switch {
	case err != nil:
	case *server >= 0:
		err = serve(*server, limit)
	case *direction != "":
		i := slices.IndexFunc(ways, func(w way) bool { return w.name == *only })
		err = ways[i].run(flag.Arg(0), *direction == "up")
	default:
		err = bench(strings.Split(*sizes, ","), strings.Split(*delays, ","), limit, *trials, *only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A result is of one stream.
type result struct {
	rate      float64 // bytes a second
	peak      int64   // bytes resident
	allocated int64   // bytes, or -1
}

func bench(sizes, delays []string, limit int64, trials int, only string) error {
	var gone []way
	var left []string
	for _, w := range ways {
		switch {
		case only != "" && w.name != only:
		case w.there():
			gone = append(gone, w)
		default:
			left = append(left, w.name+" is left out: it is not installed")
		}
	}
	fmt.Print("| stream |")
	for _, w := range gone {
		fmt.Printf(" %s |", w.name)
	}
	fmt.Printf("\n| --- |%s\n", strings.Repeat(" --- |", len(gone)))
	for _, up := range []bool{true, false} {
		for _, s := range sizes {
			n, err := parse(s)
			if err != nil {
				return err
			}
			for _, d := range delays {
				delay, err := time.ParseDuration(d)
				if err != nil {
					return err
				}
				results, failed, err := row(n, delay, limit, trials, gone, up)
				if err != nil {
					return err
				}
				name := fmt.Sprintf("%siB %s, %v", s, map[bool]string{true: "up", false: "down"}[up], delay)
				fmt.Printf("| %s |", name)
				for _, w := range gone {
					fmt.Printf(" %s |", cell(results[w.name]))
					if err := failed[w.name]; err != nil {
						left = append(left, fmt.Sprintf("%s has failed with %s: %v", w.name, name, err))
					}
				}
				fmt.Println()
			}
		}
	}
	if limit > 0 {
		fmt.Printf("\nA body moves at most %d bytes a second.\n", limit)
	}
	fmt.Printf("\nMB/s, peak MiB, allocated MiB; medians of %d; the time is that of a request; %d parts of %d MiB in flight where that can be set.\n", trials, depth, part>>20)
	for _, w := range gone {
		if w.command != nil {
			fmt.Println(w.version())
		}
	}
	for _, line := range left {
		fmt.Println(line)
	}
	return nil
}

// cell returns the medians of the results.
func cell(rs []result) string {
	if len(rs) == 0 {
		return "failed"
	}
	text := fmt.Sprintf("%.3g, %.0f", median(rs, func(r result) float64 { return r.rate })/1e6,
		median(rs, func(r result) float64 { return float64(r.peak) })/(1<<20))
	if m := median(rs, func(r result) float64 { return float64(r.allocated) }); m >= 0 {
		text += fmt.Sprintf(", %.1f", m/(1<<20))
	}
	return text
}

// row moves streams of n bytes, by the ways in turn. It returns what failed by way; a
// way that has failed is not gone again.
func row(n int64, delay time.Duration, limit int64, trials int, gone []way, up bool) (results map[string][]result, failed map[string]error, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	server := exec.Command(self, "-server", delay.String(), "-rate", strconv.FormatInt(limit, 10))
	server.Stderr = os.Stderr
	alive, err := server.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	defer server.Wait()
	defer alive.Close()
	out, err := server.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := server.Start(); err != nil {
		return nil, nil, err
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, nil, err
	}
	address = strings.TrimSpace(address)
	for k, v := range map[string]string{
		"ADDRESS": address, "AWS_ENDPOINT_URL": "http://" + address, "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
	} {
		os.Setenv(k, v)
	}
	os.Unsetenv("AWS_CA_BUNDLE") // rclone and it do not go together
	want := sum(n)
	results, failed = map[string][]result{}, map[string]error{}
	for range trials {
		for _, w := range gone {
			if failed[w.name] != nil {
				continue
			}
			r, err := move(self, w, n, want, up)
			if err != nil {
				failed[w.name], results[w.name] = err, nil
				continue
			}
			results[w.name] = append(results[w.name], r)
		}
	}
	return results, failed, nil
}

// move moves one stream of n bytes, whose checksum is want.
func move(self string, w way, n int64, want string, up bool) (result, error) {
	key := fmt.Sprintf("made-%d", n)
	if up {
		key = fmt.Sprintf("object-%d", time.Now().UnixNano())
	}
	direction := map[bool]string{true: "up", false: "down"}[up]
	args := []string{self, "-only", w.name, "-child", direction, key}
	if w.command != nil {
		args = w.command(key, up)
	}
	cmd := exec.Command(args[0], args[1:]...)
	var said bytes.Buffer
	cmd.Stderr = &said
	var got string
	h := minio.ChecksumCRC64NVME.Hasher()
	var feed func() error
	if up {
		in, err := cmd.StdinPipe()
		if err != nil {
			return result{}, err
		}
		feed = func() error {
			_, err := io.CopyBuffer(struct{ io.Writer }{in}, &made{size: n}, make([]byte, 1<<20))
			return errors.Join(err, in.Close())
		}
	} else {
		out, err := cmd.StdoutPipe()
		if err != nil {
			return result{}, err
		}
		feed = func() error {
			_, err := io.CopyBuffer(struct{ io.Writer }{h}, out, make([]byte, 1<<20))
			return err
		}
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return result{}, err
	}
	fed := feed()
	err := errors.Join(fed, cmd.Wait())
	took := time.Since(start)
	if err != nil {
		return result{}, fmt.Errorf("%w: %s", err, said.String())
	}
	if up {
		if got, err = stored(key); err != nil {
			return result{}, err
		}
	} else {
		got = minio.NewChecksum(minio.ChecksumCRC64NVME, h.Sum(nil)).Encoded()
	}
	if got != want {
		return result{}, fmt.Errorf("%s has arrived, sent was %s", got, want)
	}
	r := result{float64(n) / took.Seconds(), peak(cmd.ProcessState), -1}
	for line := range strings.Lines(said.String()) {
		if text, ok := strings.CutPrefix(line, "allocated "); ok {
			r.allocated, err = strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		}
	}
	return r, err
}

// stored returns the checksum of an object that the server has.
func stored(key string) (string, error) {
	c, err := client()
	if err != nil {
		return "", err
	}
	info, err := c.StatObject(context.Background(), bucket, key, minio.StatObjectOptions{Checksum: true})
	return info.ChecksumCRC64NVME, err
}

func median(rs []result, f func(result) float64) float64 {
	all := make([]float64, len(rs))
	for i, r := range rs {
		all[i] = f(r)
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// parse returns the bytes that text says, such as 64M.
func parse(text string) (int64, error) {
	shift := map[byte]int{'K': 10, 'M': 20, 'G': 30}[text[len(text)-1]]
	if shift > 0 {
		text = text[:len(text)-1]
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n << shift, err
}
