package memory

import (
	"bufio"
	"bytes"
	"os"
	"slices"
	"strconv"
)

// hugeFields are the fields of smaps that count bytes in huge pages: of anonymous
// memory, of shared memory, of a file.
var hugeFields = []string{"AnonHugePages", "ShmemPmdMapped", "FilePmdMapped"}

func huge(b []byte) (int, bool) { return smaps(b, hugeFields...) }

// smaps adds up the given fields, in bytes, over the mappings that b consists of.
// ok is false if the system does not list them.
func smaps(b []byte, fields ...string) (sum int, ok bool) {
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return 0, false
	}
	defer f.Close()
	from := uint64(address(b))
	to := from + uint64(roundUp(len(b), os.Getpagesize()))
	inside := false
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		key, rest, _ := bytes.Cut(lines.Bytes(), []byte(" "))
		if name, isField := bytes.CutSuffix(key, []byte(":")); isField {
			if inside && slices.Contains(fields, string(name)) {
				n, err := strconv.Atoi(string(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte(" kB"))))
				if err != nil {
					return 0, false
				}
				sum += n << 10
			}
			continue
		}
		// The first line of a mapping begins with its addresses.
		first, last, _ := bytes.Cut(key, []byte("-"))
		begin, err1 := strconv.ParseUint(string(first), 16, 64)
		end, err2 := strconv.ParseUint(string(last), 16, 64)
		inside = err1 == nil && err2 == nil && from <= begin && end <= to
		ok = ok || inside
	}
	return sum, ok && lines.Err() == nil
}
