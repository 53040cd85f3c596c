//go:build unix

// Command bench moves streams of unknown length into objects of a slow server, and
// objects out of it into a pipe, by package s3 and by what people use instead. Each
// stream is moved by a process of its own, and the server is one too.
//
//	go run ./s3/bench -sizes 4K,64M,1G -delays 20ms,100ms -trials 5
//
// For each it prints the median of the throughput, the peak of the memory that is
// resident, and what was allocated, of those that can tell. What has arrived is
// compared with what was sent.
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
	trials := flag.Int("trials", 3, "how often each is moved")
	only := flag.String("only", "", "a way, instead of all")
	server := flag.Duration("server", -1, "be the server, with this delay")
	direction := flag.String("child", "", "be the way of -only, up or down, with the key in the first argument")
	flag.Parse()
	var err error
	switch {
	case *server >= 0:
		err = serve(*server)
	case *direction != "":
		i := slices.IndexFunc(ways, func(w way) bool { return w.name == *only })
		err = ways[i].run(flag.Arg(0), *direction == "up")
	default:
		err = bench(strings.Split(*sizes, ","), strings.Split(*delays, ","), *trials, *only)
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

func bench(sizes, delays []string, trials int, only string) error {
	for _, up := range []bool{true, false} {
		for _, d := range delays {
			delay, err := time.ParseDuration(d)
			if err != nil {
				return err
			}
			for _, s := range sizes {
				n, err := parse(s)
				if err != nil {
					return err
				}
				if err := row(n, s, delay, trials, only, up); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// row moves streams of n bytes, by the ways in turn, and prints a table.
func row(n int64, name string, delay time.Duration, trials int, only string, up bool) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	server := exec.Command(self, "-server", delay.String())
	server.Stderr = os.Stderr
	alive, err := server.StdinPipe()
	if err != nil {
		return err
	}
	defer server.Wait()
	defer alive.Close()
	out, err := server.StdoutPipe()
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return err
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return err
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
	results := map[string][]result{}
	for range trials {
		for _, w := range ways {
			if only != "" && w.name != only || !w.there() {
				continue
			}
			r, err := move(self, w, n, want, up)
			if err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			results[w.name] = append(results[w.name], r)
		}
	}
	where := map[bool]string{true: "into an object", false: "out of an object"}[up]
	fmt.Printf("\n%s %s, %v a request, median of %d\n\n", name, where, delay, trials)
	fmt.Printf("| way | MB/s | peak MiB | allocated MiB |\n| --- | ---: | ---: | ---: |\n")
	for _, w := range ways {
		rs := results[w.name]
		if len(rs) == 0 {
			continue
		}
		allocated := "–"
		if m := median(rs, func(r result) float64 { return float64(r.allocated) }); m >= 0 {
			allocated = fmt.Sprintf("%.1f", m/(1<<20))
		}
		fmt.Printf("| %s | %.3g | %.0f | %s |\n", w.name, median(rs, func(r result) float64 { return r.rate })/1e6,
			median(rs, func(r result) float64 { return float64(r.peak) })/(1<<20), allocated)
	}
	return nil
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
